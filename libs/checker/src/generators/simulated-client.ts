import type { Random } from '@orrery/component';
import type { ObjectVersion } from '../history/object-version.js';
import type { Operation, OperationArgs, OperationBody, Verb } from '../history/operation.js';
import { isWrite } from '../history/operation.js';
import type { EventQueue } from './event-queue.js';
import { chance, pick, pickNumber } from './seeded-random.js';
import type { SimulatedStore, WriteAnswer } from './simulated-store.js';

export interface ClientSettings {
  readonly name: string;
  readonly keys: readonly string[];
  readonly scopes: readonly string[];
  /** Share of the writes whose answer is lost. */
  readonly unknownRate: number;
  /** Longest way to the server or back, in nanoseconds. */
  readonly latency: number;
  /** Share of the operations that are lists. */
  readonly listRate: number;
}

export interface ClientWorld {
  readonly queue: EventQueue;
  readonly store: SimulatedStore;
  readonly random: Random;
  /** The next operation's number; undefined when there have been enough. */
  readonly nextId: () => number | undefined;
  readonly record: (operation: Operation) => void;
}

type Answer = Pick<Operation, 'outcome' | 'reason' | 'rv' | 'body'>;
type Call = Pick<Operation, 'client' | 'id' | 'f' | 'key' | 'args' | 'call'>;

const VERB_SHARES: readonly Verb[] = [
  ...(['create', 'create', 'create', 'get', 'get', 'get', 'get'] as const),
  ...(['update', 'update', 'update', 'update', 'patch', 'patch', 'delete', 'delete'] as const),
];
const APPS = ['a', 'b'] as const;

/** One client: calls, waits for the answer or loses it, remembers what it saw, calls again. */
export class SimulatedClient {
  private readonly seen = new Map<string, ObjectVersion>();
  private pageToken:
    { list: string; index: number; scope: string; rv: number; last: string } | undefined;

  constructor(
    private readonly settings: ClientSettings,
    private readonly world: ClientWorld,
  ) {}

  start(): void {
    this.world.queue.at(this.delay(), (time) => this.call(time));
  }

  private delay(): number {
    return 1 + pickNumber(this.world.random, this.settings.latency);
  }

  private call(time: number): void {
    const { random, queue, nextId, record } = this.world;
    const id = nextId();
    if (id === undefined) return;
    const call: Call = { client: this.settings.name, id, ...this.choose(id), call: time };
    const isLost = isWrite(call.f) && chance(random, this.settings.unknownRate);
    if (isLost) {
      record({ ...call, ret: null, outcome: 'unknown' });
      const late = chance(random, 0.3) ? 20 : 1;
      if (chance(random, 0.6)) queue.at(time + this.delay() * late, () => this.perform(call));
      queue.at(time + this.delay() * 5, (later) => this.call(later));
      return;
    }
    queue.at(time + this.delay(), () => {
      const answer = this.perform(call);
      queue.at(queue.now + this.delay(), (ret) => {
        this.remember(call, answer);
        record({ ...call, ret, ...answer });
        queue.at(ret + this.delay(), (next) => this.call(next));
      });
    });
  }

  private choose(id: number): { f: Verb; key: string; args: OperationArgs } {
    const { random } = this.world;
    const { keys, scopes, listRate } = this.settings;
    if (this.pageToken) {
      const { list, index, scope } = this.pageToken;
      return { f: 'list', key: scope, args: { limit: 2, page: { list, index } } };
    }
    if (chance(random, listRate)) return this.chooseList(id, pick(random, scopes) ?? '');
    const f = pick(random, VERB_SHARES) ?? 'get';
    const key = pick(random, keys) ?? '';
    return { f, key, args: f === 'get' ? this.chooseFreshness() : this.chooseWrite(id, f, key) };
  }

  private chooseList(id: number, scope: string): { f: Verb; key: string; args: OperationArgs } {
    const { random } = this.world;
    if (chance(random, 0.3))
      return { f: 'list', key: scope, args: { limit: 2, page: { list: `list-${id}`, index: 0 } } };
    const selector = chance(random, 0.3) ? { selector: { app: pick(random, APPS) ?? 'a' } } : {};
    return { f: 'list', key: scope, args: { ...this.chooseFreshness(), ...selector } };
  }

  private chooseFreshness(): OperationArgs {
    const { random, store } = this.world;
    if (chance(random, 0.8)) return {};
    if (chance(random, 0.3)) return { rv: 0 };
    if (chance(random, 0.1)) return { rv: store.rv + 1000 };
    return { rv: Math.max(1, pickNumber(random, store.rv + 1)) };
  }

  private chooseWrite(id: number, f: Verb, key: string): OperationArgs {
    const { random } = this.world;
    const seen = this.seen.get(key);
    const app = chance(random, 0.5) ? { labels: { app: pick(random, APPS) ?? 'a' } } : {};
    if (f === 'create') return { value: `v${id}`, ...app };
    const rv = seen && chance(random, 0.5) ? { rv: seen.rv } : {};
    const uid = seen && chance(random, 0.2) ? { uid: seen.uid } : {};
    if (f === 'delete') return { ...rv, ...uid };
    if (seen && chance(random, 0.1))
      return { value: seen.value, ...(seen.labels ? { labels: seen.labels } : {}), ...rv };
    return { value: `v${id}`, ...app, ...rv, ...uid };
  }

  private perform({ f, key, args, id }: Call): Answer {
    const { store, random } = this.world;
    if (isWrite(f) && chance(random, 0.02)) return { outcome: 'fail', reason: 'TooManyRequests' };
    switch (f) {
      case 'create':
        return toAnswer(store.create(key, args));
      case 'update':
      case 'patch':
        return toAnswer(store.update(key, args));
      case 'delete':
        return this.hideSome(toAnswer(store.delete(key, args)), id);
      case 'get':
        return this.get(key, args);
      case 'list':
        return this.list(key, args);
    }
  }

  /** A real delete often answers with a Status and no revision. */
  private hideSome(answer: Answer, id: number): Answer {
    return answer.outcome === 'ok' && id % 2 === 0 ? { outcome: 'ok' } : answer;
  }

  private readAt({ rv: asked }: OperationArgs): number | undefined {
    const { store, random } = this.world;
    if (asked === undefined) return store.rv;
    if (asked > store.rv) return undefined;
    return asked + pickNumber(random, store.rv - asked + 1);
  }

  private get(key: string, args: OperationArgs): Answer {
    const rv = this.readAt(args);
    if (rv === undefined) return { outcome: 'fail', reason: 'ResourceVersionTooLarge' };
    const object = this.world.store.get(key, rv);
    if (!object) return { outcome: 'fail', reason: 'NotFound' };
    return { outcome: 'ok', rv: object.rv, body: { object } };
  }

  private list(scope: string, args: OperationArgs): Answer {
    const { store } = this.world;
    const rv = this.pageToken?.rv ?? this.readAt(args);
    if (rv === undefined) return { outcome: 'fail', reason: 'ResourceVersionTooLarge' };
    const items = store.list(scope, args.selector, rv);
    const { page, limit = 0 } = args;
    if (!page) return { outcome: 'ok', rv, body: { items } };
    const rest = items.filter(({ key }) => key > (this.pageToken?.last ?? ''));
    const shown = rest.slice(0, limit);
    const more = rest.length > limit;
    const last = shown.at(-1)?.key ?? '';
    this.pageToken = more ? { ...page, index: page.index + 1, scope, rv, last } : undefined;
    const body: OperationBody = more ? { items: shown, more } : { items: shown };
    return { outcome: 'ok', rv, body };
  }

  private remember({ f, key }: Call, { outcome, body }: Answer): void {
    if (outcome !== 'ok') return;
    if (f === 'delete') this.seen.delete(key);
    else if (body?.object) this.seen.set(key, body.object);
    for (const item of body?.items ?? []) this.seen.set(item.key, item);
  }
}

function toAnswer(answer: WriteAnswer): Answer {
  if ('reason' in answer) return { outcome: 'fail', reason: answer.reason };
  return { outcome: 'ok', rv: answer.rv, body: { object: answer.object } };
}
