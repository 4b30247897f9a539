import type { OperationArgs, ObjectVersion, Request } from '@orrery/checker';
import type { Random } from '@orrery/component';
import { NAMESPACES, RESOURCE, toKey } from './config-map.js';

/** Names of the keys in each namespace. */
const NAMES = ['k0', 'k1', 'k2', 'k3', 'k4', 'k5'] as const;
const TIERS = ['a', 'b'] as const;

/** Every key that the clients write. */
export const KEYS: readonly string[] = NAMESPACES.flatMap((namespace) =>
  NAMES.map((name) => toKey(namespace, name)),
);
export const SCOPES: readonly string[] = [
  RESOURCE,
  ...NAMESPACES.map((namespace) => `${RESOURCE}/${namespace}`),
];

/** A choice with its weight. */
type Choice = readonly [weight: number, make: () => Request | undefined];

/** Decides what one client does next, by chance that repeats and by what the client has seen. */
export class Workload {
  private readonly known = new Map<string, ObjectVersion>();
  private highest = 0;
  private writes = 0;
  private readonly choices: readonly Choice[] = [
    [12, () => this.create()],
    [14, () => this.update({})],
    [12, () => this.update({ rv: true })],
    [3, () => this.update({ uid: true })],
    [4, () => this.repeat()],
    [8, () => this.patch({})],
    [4, () => this.patch({ rv: true })],
    [2, () => this.patch({ uid: true })],
    [4, () => this.delete({})],
    [2, () => this.delete({ rv: true })],
    [2, () => this.delete({ uid: true })],
    [14, () => this.get()],
    [3, () => this.get({ rv: 0 })],
    [4, () => this.get({ rv: this.highest })],
    [6, () => this.list({})],
    [3, () => this.list({ rv: 0 })],
    [3, () => this.list({ rv: this.highest, match: 'NotOlderThan' })],
    [3, () => this.list({ rv: this.highest, match: 'Exact' })],
    [3, () => this.list({ limit: 2 })],
  ];
  private readonly total = this.choices.reduce((sum, [weight]) => sum + weight, 0);

  constructor(
    private readonly client: string,
    private readonly random: Random,
  ) {}

  next(): Request {
    for (;;) {
      let at = this.random.next() * this.total;
      const [, make] = this.choices.find(([weight]) => (at -= weight) < 0) ?? [];
      const request = make?.();
      if (request) return request;
    }
  }

  /** What an answer showed of an object. */
  see(object: ObjectVersion): void {
    // What others keep in the same resource is not the clients' to write.
    if (KEYS.includes(object.key)) this.known.set(object.key, object);
    this.seeRevision(object.rv);
  }

  seeRevision(rv: number): void {
    this.highest = Math.max(this.highest, rv);
  }

  forget(key: string): void {
    this.known.delete(key);
  }

  private pick<T>(items: readonly T[], otherwise: T): T {
    return items[Math.floor(this.random.next() * items.length)] ?? otherwise;
  }

  private key(): string {
    return this.pick(KEYS, '');
  }

  private seen(): ObjectVersion | undefined {
    const seen = [...this.known.values()];
    return seen[Math.floor(this.random.next() * seen.length)];
  }

  private write(): { value: string; labels: Record<string, string> } {
    return { value: `${this.client}-${++this.writes}`, labels: { tier: this.pick(TIERS, 'a') } };
  }

  private create(): Request {
    // Mostly of keys that are not there as far as is known.
    const free = KEYS.filter((key) => !this.known.has(key));
    const key = this.random.next() < 0.8 ? this.pick(free, this.key()) : this.key();
    return { f: 'create', key, args: this.write() };
  }

  private preconditions(
    object: ObjectVersion,
    { rv, uid }: { rv?: true; uid?: true },
  ): OperationArgs {
    return { ...(rv ? { rv: object.rv } : {}), ...(uid ? { uid: object.uid } : {}) };
  }

  private update(how: { rv?: true; uid?: true }): Request | undefined {
    const object = this.seen();
    if (!how.rv && !how.uid)
      return { f: 'update', key: object?.key ?? this.key(), args: this.write() };
    if (!object) return undefined;
    const args = { ...this.write(), ...this.preconditions(object, how) };
    return { f: 'update', key: object.key, args };
  }

  /** An update that is meant to change nothing; its precondition keeps it from writing an old value anew. */
  private repeat(): Request | undefined {
    const object = this.seen();
    if (!object?.labels) return undefined;
    const { key, rv, value, labels } = object;
    return { f: 'update', key, args: { rv, value, labels } };
  }

  private patch(how: { rv?: true; uid?: true }): Request | undefined {
    const object = this.seen();
    if (!object) return undefined;
    const { value, labels } = this.write();
    const change = this.random.next() < 0.5 ? { value, labels } : { value };
    const args = { ...change, ...this.preconditions(object, how) };
    return { f: 'patch', key: object.key, args };
  }

  private delete(how: { rv?: true; uid?: true }): Request | undefined {
    const object = this.seen();
    if (!object) return undefined;
    return { f: 'delete', key: object.key, args: this.preconditions(object, how) };
  }

  private get(args: OperationArgs = {}): Request {
    return { f: 'get', key: this.key(), args };
  }

  private list(args: OperationArgs): Request | undefined {
    if (args.match !== undefined && this.highest === 0) return undefined;
    const scope = this.pick(SCOPES, RESOURCE);
    const selector = this.random.next() < 0.3 ? { selector: { tier: this.pick(TIERS, 'a') } } : {};
    return { f: 'list', key: scope, args: { ...args, ...selector } };
  }
}
