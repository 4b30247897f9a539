import type { Operation } from '../history/operation.js';
import { isWrite } from '../history/operation.js';
import type { ObjectState } from './object-model.js';
import { stateKey, step } from './object-model.js';
import { Timeline } from './timeline.js';
import type { Verdict } from './verdict.js';

interface Frame {
  readonly state: ObjectState;
  /** The operation that led here; -1 at the root. */
  readonly operation: number;
  /** What to try from here, best guess last. */
  readonly untried: number[];
}

const DEADLINE_EVERY = 128;

/**
 * Wing & Gong's search with Lowe's memory of (linearized set, state), over the operations of one object. It can be stopped at
 * a deadline and go on later. Two things keep it short without changing the verdict: an operation that leaves the state as it
 * is gets its place at once, and changes are tried in the order of the revisions they answered.
 */
export class WglSearch {
  private readonly timeline: Timeline;
  private readonly stack: Frame[] = [];
  private readonly visited = new Set<string>();
  private verdict: Verdict = 'unknown';
  private furthest: Operation | undefined;

  constructor(
    readonly operations: readonly Operation[],
    initial: ObjectState,
  ) {
    this.timeline = new Timeline(operations);
    this.enter(initial, -1);
  }

  /** The operation the best attempt could not get past: the first impossible one. */
  get culprit(): Operation | undefined {
    return this.furthest;
  }

  /** Searches until there is a verdict or the time is over. */
  run(now: () => number, deadline: number): Verdict {
    for (let steps = 1; this.verdict === 'unknown'; steps++) {
      if (steps % DEADLINE_EVERY === 0 && now() >= deadline) break;
      this.advance();
    }
    return this.verdict;
  }

  private advance(): void {
    const frame = this.stack.at(-1);
    if (!frame) {
      this.verdict = 'illegal';
      return;
    }
    const operation = frame.untried.pop();
    if (operation === undefined) {
      this.stack.pop();
      if (frame.operation >= 0) this.timeline.unlift(frame.operation);
      return;
    }
    const state = this.apply(frame.state, operation);
    if (state === undefined) return;
    this.timeline.lift(operation);
    this.enter(state, operation);
  }

  private apply(state: ObjectState, index: number): ObjectState | undefined {
    const operation = this.operations[index];
    return operation && step(state, operation);
  }

  private enter(state: ObjectState, operation: number): void {
    const { candidates, first } = this.timeline.front();
    if (first === undefined) {
      this.verdict = 'ok';
      return;
    }
    const key = `${first}|${candidates.join(',')}|${stateKey(state)}`;
    const untried = this.visited.has(key) ? [] : this.order(state, candidates);
    this.visited.add(key);
    this.stack.push({ state, operation, untried });
    const front = this.operations[first];
    if (front && (!this.furthest || (front.ret ?? Infinity) > (this.furthest.ret ?? Infinity)))
      this.furthest = front;
  }

  private order(state: ObjectState, candidates: readonly number[]): number[] {
    for (const index of candidates) if (this.apply(state, index) === state) return [index];
    const rank = (index: number): number => rankOf(this.operations[index]);
    return [...candidates].sort((a, b) => rank(b) - rank(a));
  }
}

/** A deletion's body is the object before it, a list's revision is later than its item's. */
function rankOf(operation: Operation | undefined): number {
  if (!operation) return 0;
  const object = operation.body?.object?.rv;
  const rank = isWrite(operation.f) ? operation.rv : object;
  return rank ?? Number.MAX_SAFE_INTEGER;
}
