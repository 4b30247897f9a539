import type { LogEvent } from '../history/log-event.js';
import type { LogIndex, Version } from '../history/log-index.js';
import type { ObjectVersion } from '../history/object-version.js';
import { canonicalLabels } from '../history/object-version.js';
import type { Operation } from '../history/operation.js';
import { endOf } from '../history/operation.js';
import { FloorSweep } from './floor-sweep.js';
import type { PlacementContext } from './placement.js';
import { placeOperation } from './placement.js';

/** What became of the writes of one key that answered no revision. */
export interface WriteMatches {
  /** One way to explain the events, with as many of them as possible explained. */
  readonly makers: ReadonlyMap<Version, Operation>;
  /** The event of each write for which no other explanation is left. */
  readonly certain: ReadonlyMap<Operation, Version>;
  /** Writes that no event is left for. */
  readonly without: ReadonlySet<Operation>;
}

/** Finds which events the writes that answered no revision can have made. */
export class WriteMatcher {
  private readonly matched = new Map<Version, Operation>();
  private readonly candidates = new Map<Operation, readonly Version[]>();

  constructor(
    private readonly log: LogIndex,
    private readonly bounds: RevisionBounds,
    private readonly isTaken: (event: LogEvent) => boolean,
  ) {}

  /** Writes of one key: answered ones first, so that an unknown one never takes what an answered one needs. */
  match(operations: readonly Operation[]): WriteMatches {
    this.matched.clear();
    this.candidates.clear();
    const urgent = [...operations].sort((a, b) => endOf(a) - endOf(b) || a.call - b.call);
    for (const operation of urgent) this.candidates.set(operation, this.findCandidates(operation));
    for (const operation of urgent) this.place(operation, new Set());
    return { makers: this.matched, ...findCertain(this.candidates) };
  }

  /** Kuhn's augmenting path: takes a free event, or one whose maker can take another. */
  private place(operation: Operation, tried: Set<Version>): boolean {
    for (const version of this.candidates.get(operation) ?? []) {
      if (tried.has(version)) continue;
      tried.add(version);
      const maker = this.matched.get(version);
      if (maker && !this.place(maker, tried)) continue;
      this.matched.set(version, operation);
      return true;
    }
    return false;
  }

  private findCandidates(operation: Operation): Version[] {
    const floor = this.bounds.floor(operation.call);
    const ceiling = operation.ret === null ? Infinity : this.bounds.ceiling(operation.ret);
    return this.log
      .versionsBetween(operation.key, floor, ceiling)
      .filter((version) => mayHaveMade(operation, version) && !this.isTaken(version.event));
  }
}

/** Takes away what is settled until nothing more is: an answered write made its only event, an event has its only maker. */
function findCertain(
  candidates: ReadonlyMap<Operation, readonly Version[]>,
): Pick<WriteMatches, 'certain' | 'without'> {
  const open = new Map(
    [...candidates].map(([operation, versions]) => [operation, new Set(versions)]),
  );
  const makersOf = new Map<Version, Set<Operation>>();
  for (const [operation, versions] of candidates)
    for (const version of versions)
      makersOf.set(version, (makersOf.get(version) ?? new Set()).add(operation));
  const certain = new Map<Operation, Version>();
  const settle = (operation: Operation, version: Version): void => {
    certain.set(operation, version);
    for (const other of makersOf.get(version) ?? []) open.get(other)?.delete(version);
    for (const other of open.get(operation) ?? []) makersOf.get(other)?.delete(operation);
    makersOf.delete(version);
    open.delete(operation);
  };
  for (let settled = -1; settled !== certain.size;) {
    settled = certain.size;
    for (const [operation, [only, ...others]] of open)
      if (only && others.length === 0 && operation.outcome === 'ok') settle(operation, only);
    for (const [version, [only, ...others]] of makersOf)
      if (only && others.length === 0) settle(only, version);
  }
  const without = [...open].filter(([, versions]) => versions.size === 0);
  return { certain, without: new Set(without.map(([operation]) => operation)) };
}

function mayHaveMade(operation: Operation, { event, object, before }: Version): boolean {
  const { f, args, call } = operation;
  if (f === 'delete' ? object !== undefined : object?.value !== args.value) return false;
  const previous = before?.object;
  if (event.at !== undefined && event.at < call) return false;
  if (args.uid !== undefined && previous?.uid !== args.uid) return false;
  if (args.rv !== undefined && previous?.rv !== args.rv) return false;
  if (!object) return true;
  return (f === 'create') === (previous === undefined) && hasItsLabels(operation, object);
}

function hasItsLabels({ args }: Operation, object: ObjectVersion): boolean {
  return !args.labels || canonicalLabels(args.labels) === canonicalLabels(object.labels);
}

interface Bound {
  readonly time: number;
  readonly rv: number;
}

/** What the answered revisions say about the revision of anything called or ended at some time. */
export class RevisionBounds {
  private readonly ended: readonly Bound[];
  private readonly called: readonly Bound[];

  constructor(answered: readonly Operation[], context: PlacementContext) {
    let highest = 0;
    this.ended = placeAll(answered, context)
      .sort((a, b) => a.time - b.time)
      .map(({ time, rv }) => ({ time, rv: (highest = Math.max(highest, rv)) }));
    let lowest = Infinity;
    this.called = [...context.makers]
      .map(([{ rv }, { call }]) => ({ time: call, rv }))
      .sort((a, b) => b.time - a.time)
      .map(({ time, rv }) => ({ time, rv: (lowest = Math.min(lowest, rv)) }))
      .reverse();
  }

  /** The highest revision reached before `call`. */
  floor(call: number): number {
    return this.ended[countWhile(this.ended, ({ time }) => time < call) - 1]?.rv ?? 0;
  }

  /** The lowest revision made by a write called after `ret`. */
  ceiling(ret: number): number {
    return this.called[countWhile(this.called, ({ time }) => time <= ret)]?.rv ?? Infinity;
  }
}

/** Where each answered operation can have been at the earliest, by the time it ended. */
function placeAll(answered: readonly Operation[], context: PlacementContext): Bound[] {
  const bounds: Bound[] = [];
  const floors = new FloorSweep(answered, context);
  for (const { operation, index, floor } of floors) {
    const placement = placeOperation(operation, floor, context);
    const rv = 'rule' in placement ? floor : placement.rv;
    floors.place(index, rv);
    if (operation.ret !== null) bounds.push({ time: operation.ret, rv });
  }
  return bounds;
}

function countWhile(sorted: readonly Bound[], passes: (bound: Bound) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const bound = sorted[middle];
    if (bound && passes(bound)) low = middle + 1;
    else high = middle;
  }
  return low;
}
