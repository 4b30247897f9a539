import type { Status } from './status.js';

/** Why no node was found. */
export interface Diagnosis {
  readonly allNodes: number;
  readonly statuses: ReadonlyMap<string, Status>;
  /** What the nodes without an own status were refused for. */
  readonly absent?: Status;
  readonly preFilterMessage?: string;
  /** Names of the plugins that refused. */
  readonly plugins: ReadonlySet<string>;
}

function histogram(diagnosis: Diagnosis): string[] {
  const counts = new Map<string, number>();
  const count = (status: Status, times: number): void => {
    for (const reason of status.reasons) counts.set(reason, (counts.get(reason) ?? 0) + times);
  };
  for (const status of diagnosis.statuses.values()) count(status, 1);
  const absent = diagnosis.allNodes - diagnosis.statuses.size;
  if (diagnosis.absent && absent > 0) count(diagnosis.absent, absent);
  return [...counts].map(([reason, times]) => `${times} ${reason}`).sort();
}

/** The words of FailedScheduling (k8s scheduler/framework/types.go:FitError.Error). */
export function describeFailure(diagnosis: Diagnosis, postFilterMessage = ''): string {
  const why = diagnosis.preFilterMessage ?? histogram(diagnosis).join(', ');
  const parts = [`0/${diagnosis.allNodes} nodes are available:`];
  if (why !== '') parts.push(`${why}.`);
  if (postFilterMessage !== '') parts.push(postFilterMessage);
  return parts.join(' ');
}
