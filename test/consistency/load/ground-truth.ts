import type { HistoryRecorder, ObjectVersion } from '@orrery/checker';
import { SystemClock } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import type { EtcdGateway, GatewayEvent, GatewayWatch } from '../cluster/etcd-gateway.js';
import { isJson } from './http-session.js';
import { RESOURCE, toVersion } from './config-map.js';

const PREFIX = '/registry/';
const RETRY_MS = 50;
const clock = new SystemClock();

function toKeyOf(key: string): string {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
}

function parse(value: Buffer): unknown {
  try {
    const parsed: unknown = JSON.parse(value.toString('utf8'));
    return isJson(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Keys that no client writes count as one object for each life of the key. */
function toObject({ key, value, revision, createRevision }: GatewayEvent): ObjectVersion {
  const version = key.startsWith(`${PREFIX}${RESOURCE}/`)
    ? toVersion(parse(value), revision)
    : undefined;
  return version ?? { key: toKeyOf(key), uid: `${createRevision}`, rv: revision, value: '' };
}

/**
 * What really happened: every revision of the whole keyspace, watched on every member of etcd at once and taken from the
 * one that says it first. Knows etcd's JSON gateway and nothing of the storage under test.
 */
export class GroundTruth {
  private last = 0;
  private readonly stop = new AbortController();
  private readonly watches = new Set<GatewayWatch>();

  private constructor(
    private readonly gateways: readonly EtcdGateway[],
    private readonly recorder: HistoryRecorder,
  ) {}

  /** Notes what there is now, and follows from there. */
  static async start(
    gateways: readonly EtcdGateway[],
    recorder: HistoryRecorder,
  ): Promise<GroundTruth> {
    const truth = new GroundTruth(gateways, recorder);
    const first = gateways[0];
    if (!first) throw new Error('no etcd member to watch');
    const { revision, events } = await first.list('/');
    for (const event of [...events].sort((a, b) => a.revision - b.revision)) truth.note(event);
    truth.last = revision;
    for (const gateway of gateways) truth.follow(gateway);
    return truth;
  }

  /** Everything up to here is recorded. */
  get revision(): number {
    return this.last;
  }

  /** Resolves when everything that etcd has written is recorded: call it when nobody writes any more. */
  async drain(): Promise<void> {
    await eventually(
      async () => {
        const revisions = this.gateways.map((gateway) => gateway.revision(2000));
        const head = await Promise.any(revisions);
        if (this.last < head) throw new Error(`the log is at ${this.last}, etcd at ${head}`);
      },
      { timeoutMs: 20_000 },
    );
  }

  end(): void {
    this.stop.abort();
    for (const watch of this.watches) watch.close();
  }

  private follow(gateway: EtcdGateway): void {
    if (this.stop.signal.aborted) return;
    const watch = gateway.watch(
      this.last + 1,
      ({ events }) => this.take(events),
      () => {
        this.watches.delete(watch);
        clock.after(RETRY_MS, () => this.follow(gateway), { unref: true });
      },
    );
    this.watches.add(watch);
  }

  /** A response holds whole revisions: no fragments were asked for. */
  private take(events: readonly GatewayEvent[]): void {
    const fresh = events.filter(({ revision }) => revision > this.last);
    for (const event of fresh) this.note(event);
    this.last = fresh.at(-1)?.revision ?? this.last;
  }

  private note(event: GatewayEvent): void {
    const { revision: rv, isDelete } = event;
    this.recorder.event({
      rv,
      key: toKeyOf(event.key),
      ...(isDelete ? { type: 'delete' } : { type: 'put', object: toObject(event) }),
    });
  }
}
