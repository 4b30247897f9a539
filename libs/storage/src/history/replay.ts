import type { IEvent } from 'etcd3';

import { CAUSE_KEY } from '../cause/cause-record.js';
import type { EtcdClient } from '../etcd3/etcd-client.js';
import { feed } from '../etcd3/etcd-feed.js';
import { toStorageEvent } from '../etcd3/etcd-watch.js';
import { ALL_KEYS } from '../etcd3/key-range.js';
import type { WatchItem, WatchOptions } from '../storage.js';
import { causeTime, renewTime } from './revision-times.js';

export interface ReplayOptions {
  /** Seconds of the past per second: 1 = as it was, 10 = ten times as fast. Absent or 0 = as fast as it goes. */
  readonly speed?: number;
  /** The last revision that is replayed; the watch ends there. Absent = it goes on with what happens. */
  readonly until?: number;
}

interface Pace extends ReplayOptions {
  readonly prefix: string;
  /** Where leases lie, whose renewals tell the time where no cause does. */
  readonly leases: string;
  /** When the revision behind which the replay starts was written, if that is known. */
  readonly startedAt: number | undefined;
}

/** Everything that one revision did to the watched keys, and when. */
interface Step {
  readonly revision: number;
  readonly items: WatchItem[];
  time?: number;
}

const LONGEST_WAIT_MS = 1000;

/** When the write of an event was made, where its key tells that. */
function timeOf({ kv, type }: IEvent, key: string, leases: string): number | undefined {
  if (type === 'Delete') return undefined;
  if (key === CAUSE_KEY) return causeTime(kv.value);
  return key.startsWith(leases) ? renewTime(kv.value) : undefined;
}

/** The events of one batch by revision. */
function stepsOf(events: readonly IEvent[], { prefix, leases }: Pace): Step[] {
  const steps: Step[] = [];
  for (const raw of events) {
    const key = raw.kv.key.toString();
    const revision = Number(raw.kv.mod_revision);
    let step = steps.at(-1);
    if (step?.revision !== revision) steps.push((step = { revision, items: [] }));
    const time = timeOf(raw, key, leases);
    if (time !== undefined) step.time = time;
    if (key.startsWith(prefix)) step.items.push({ kind: 'event', event: toStorageEvent(raw, key) });
  }
  return steps;
}

/** The time of the past that a replay shows. */
class Stage {
  private readonly begunAt: number;

  constructor(
    private readonly client: EtcdClient,
    private readonly speed: number,
    private startedAt: number | undefined,
  ) {
    this.begunAt = client.clock.monotonic();
  }

  /** Waits until it is `time`; by short steps, so that a stopped clock does not hold up the end. */
  async reach(time: number, signal: AbortSignal): Promise<void> {
    this.startedAt ??= time;
    const dueAt = this.begunAt + (time - this.startedAt) / this.speed;
    for (;;) {
      const waitMs = dueAt - this.client.clock.monotonic();
      if (waitMs <= 0 || signal.aborted) return;
      const pause = Math.min(waitMs, LONGEST_WAIT_MS);
      await this.client.clock.sleep(pause, signal).catch(() => undefined);
    }
  }
}

/** The items of steps, up to the revision `until`, those of one time together and not before it. */
async function* staged(
  steps: readonly Step[],
  until: number,
  stage: Stage | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly WatchItem[]> {
  let items: WatchItem[] = [];
  for (const { revision, time, items: more } of steps) {
    if (revision > until) break;
    if (stage && time !== undefined) {
      if (items.length > 0) yield items;
      items = [];
      await stage.reach(time, signal);
      if (signal.aborted) return;
    }
    items.push(...more);
  }
  if (items.length > 0) yield items;
}

/** Watches from a revision of the past on, each event as long after the one before as it was then. */
export async function* replay(
  client: EtcdClient,
  pace: Pace,
  { after, signal, progressMs = Infinity }: WatchOptions,
): AsyncGenerator<readonly WatchItem[]> {
  const { until = Infinity, speed = 0 } = pace;
  if (after >= until) return;
  const stage = speed > 0 ? new Stage(client, speed, pace.startedAt) : undefined;
  let marked = client.clock.monotonic();
  for await (const batch of feed(client, { range: ALL_KEYS, after, previous: true, signal })) {
    yield* staged(stepsOf(batch.events, pace), until, stage, signal);
    if (signal.aborted || batch.revision >= until) return;
    const now = client.clock.monotonic();
    if (now - marked < progressMs) continue;
    marked = now;
    yield [{ kind: 'progress', revision: batch.revision }];
  }
}
