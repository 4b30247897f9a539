import type { PodInfo } from '../../framework/pod-info.js';

/** A node, and the pods that would have to leave it. Victims: most important first. */
export interface Candidate {
  readonly nodeName: string;
  readonly victims: readonly PodInfo[];
  /** Victims whose disruption budget forbids it. */
  readonly violations: number;
}

/** Pods that have not started count as the latest. */
const startOf = ({ pod }: PodInfo): string => pod.status?.startTime ?? '~';

/** Negative when `a` matters more: higher priority, then the longer run. */
export function byImportance(a: PodInfo, b: PodInfo): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  const [x, y] = [startOf(a), startOf(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** So that a larger number of victims with negative priorities does not win. */
const PRIORITY_OFFSET = 2 ** 31;

/** When the first of the most important victims started: the later, the better. */
function earliestStart({ victims }: Candidate): string {
  const highest = victims[0]?.priority ?? 0;
  const starts = victims.filter(({ priority }) => priority === highest).map(startOf);
  return starts.reduce((first, start) => (start < first ? start : first), '~~');
}

const sumOfPriorities = ({ victims }: Candidate): number =>
  victims.reduce((sum, { priority }) => sum + priority + PRIORITY_OFFSET, 0);

/** Smaller is better, rule by rule (k8s framework/preemption/preemption.go:pickOneNodeForPreemption). */
const RULES: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => victims[0]?.priority ?? -Infinity,
  sumOfPriorities,
  ({ victims }) => victims.length,
];

/** The candidate that hurts least; the first of equals. */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const rule of RULES) {
    const values = left.map(rule);
    const least = Math.min(...values);
    left = left.filter((_, i) => values[i] === least);
    if (left.length <= 1) return left[0];
  }
  const starts = left.map(earliestStart);
  const latest = starts.reduce((last, start) => (start > last ? start : last), '');
  return left[starts.indexOf(latest)];
}
