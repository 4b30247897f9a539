import { StorageError, isStorageError } from '../storage-error.js';
import type { EtcdClient } from '../etcd3/etcd-client.js';
import { readFloor } from './floor.js';
import type { Floor } from './floor.js';
import type { History } from './history.js';
import { Pins } from './pins.js';
import type { HistoryRange } from './revision-times.js';
import type { Pin } from './pins.js';

export interface RetentionOptions {
  readonly client: EtcdClient;
  readonly history: History;
  /** How long history is kept, if there is room. */
  readonly retentionMs: number;
  /** Time between two rounds; while room is short they come ten times as often. 0 = nothing is ever compacted. */
  readonly intervalMs: number;
  /** Bytes in use by etcd, live state and history together, and the quota at which it takes no more writes. */
  space(): Promise<Space>;
  notify(notice: RetentionNotice): void;
}

export interface Space {
  readonly inUse: number;
  readonly quota: number;
}

/** What a round has to say. */
export type RetentionNotice =
  /** History below `revision` is gone. `short`: sooner than the retention says, for want of room. */
  | { readonly kind: 'compacted'; readonly revision: number; readonly short: boolean }
  /** History older than the retention stays, since a pin needs it. */
  | { readonly kind: 'held'; readonly pin: Pin }
  /** etcd is nearly full: a pin that held history had to go, and what it kept with it. */
  | { readonly kind: 'expired'; readonly pin: Pin }
  /** What a pin kept is gone all the same: somebody else compacted, or etcd was restored. */
  | { readonly kind: 'lost'; readonly pin: Pin }
  /** A pin's deadline has passed. */
  | { readonly kind: 'ended'; readonly pin: Pin }
  /** Nothing more can be compacted, and etcd is still more than half full. */
  | { readonly kind: 'full'; readonly space: Space };

/** Above this share of the quota, history is cut below its retention. */
const SHORT = 0.5;
/** … and pins go that hold it. */
const NEARLY_FULL = 0.75;
/** Share of the history that goes in one round when room is short. */
const CUT = 0.25;
/** History that is always kept: clients list and watch in it. */
const LEAST_REVISIONS = 1000;

/**
 * Compacts etcd's history: keeps what is younger than the retention, as long as no more than half of etcd's quota is
 * used. Several replicas may run it: the floor key, compared in each one's transaction, lets one go ahead. It never
 * passes a live pin without a notice.
 */
export class Retention {
  private readonly pins: Pins;
  private readonly told = new Set<string>();

  constructor(private readonly options: RetentionOptions) {
    this.pins = new Pins(options.client);
  }

  /** Does one round after the other until the signal aborts. `failed` is told of rounds that did not work. */
  async run(signal: AbortSignal, failed: (error: unknown) => void): Promise<void> {
    const { intervalMs, client } = this.options;
    if (intervalMs <= 0) return;
    let pauseMs = intervalMs;
    while (!signal.aborted) {
      await client.clock.sleep(pauseMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        pauseMs = (await this.round()) ? intervalMs / 10 : intervalMs;
      } catch (error) {
        failed(error);
      }
    }
  }

  /** One round; true when room is still short. */
  async round(): Promise<boolean> {
    const floor = await readFloor(this.options.client);
    const space = await this.options.space();
    const isShort = space.inUse > space.quota * SHORT;
    const range = await this.options.history.range();
    const wanted = await this.wanted(floor, range, isShort);
    const target = await this.belowPins(wanted, range, space);
    if (target > floor.revision) {
      const done = await this.compact(floor, target);
      if (done) this.options.notify({ kind: 'compacted', revision: target, short: isShort });
      return isShort;
    }
    if (isShort) this.options.notify({ kind: 'full', space });
    return false;
  }

  /** The revision up to which history could go if nobody needed it. */
  private async wanted(
    floor: Floor,
    { oldest, current }: HistoryRange,
    isShort: boolean,
  ): Promise<number> {
    const { history, retentionMs, client } = this.options;
    const now = client.clock.now();
    const start = Math.max(oldest, floor.revision);
    const byAge = await history.times.at(now - retentionMs, { oldest: start, current });
    if (!isShort) return byAge ?? floor.revision;
    const cut = start + Math.ceil((current - start) * CUT);
    const room = Math.min(cut, current - LEAST_REVISIONS);
    // A round of its own makes revisions too: a few are not worth one.
    return Math.max(byAge ?? floor.revision, room - start < LEAST_REVISIONS / 10 ? 0 : room);
  }

  /** The same, kept from passing pins; those that must go for want of room go here. */
  private async belowPins(wanted: number, { oldest }: HistoryRange, space: Space): Promise<number> {
    const now = this.options.client.clock.now();
    for (const pin of await this.pins.all()) {
      const isOver = pin.deadline !== undefined && pin.deadline <= now;
      if (isOver) await this.release(pin, 'ended');
      else if (pin.revision < oldest) await this.release(pin, 'lost');
      else if (pin.revision < wanted) {
        const mustGo = space.inUse > space.quota * NEARLY_FULL;
        if (mustGo && (await this.release(pin, 'expired'))) continue;
        this.tellHeld(pin);
        return pin.revision;
      }
    }
    return wanted;
  }

  /** False when the pin was renewed meanwhile, or another replica was faster. */
  private async release(pin: Pin, kind: 'ended' | 'lost' | 'expired'): Promise<boolean> {
    const released = await this.pins.release(pin.id, pin.modRevision);
    if (released) this.options.notify({ kind, pin });
    return released;
  }

  private tellHeld(pin: Pin): void {
    const name = `${pin.id}@${pin.modRevision}`;
    if (this.told.has(name)) return;
    this.told.add(name);
    this.options.notify({ kind: 'held', pin });
  }

  /** Moves the floor, then compacts up to it; false when another replica or a new pin came between. */
  private async compact(floor: Floor, target: number): Promise<boolean> {
    const { client } = this.options;
    const moved = await client.call(
      { kind: 'write', what: 'move the history floor' },
      (etcd, options) =>
        etcd.kv.txn(
          { compare: [floor.unchanged], success: [floor.put(target)], failure: [] },
          options,
        ),
    );
    if (!moved.succeeded) return false;
    try {
      await client.compact(target);
    } catch (error) {
      // Compacted by somebody else, or still at it.
      const isDone = isStorageError(error, 'compacted') || isStorageError(error, 'timeout');
      if (!isDone) throw error;
    }
    return true;
  }
}

/** The fullest member's bytes in use. Throws 'unavailable' when none answers. */
export function largestInUse(
  statuses: readonly ({ readonly dbSizeInUse: number } | { readonly problem: string })[],
): number {
  const sizes = statuses.flatMap((one) => ('dbSizeInUse' in one ? [one.dbSizeInUse] : []));
  if (sizes.length === 0)
    throw new StorageError('unavailable', 'no etcd member tells how full it is');
  return Math.max(...sizes);
}
