const MIN_FEASIBLE = 100;
const MIN_PERCENTAGE = 5;

/** How many fitting nodes are enough (k8s scheduler/schedule_one.go:numFeasibleNodesToFind); 0 % = by cluster size. */
export function enoughFeasible(nodes: number, percentage: number): number {
  if (nodes < MIN_FEASIBLE) return nodes;
  const share =
    percentage === 0 ? Math.max(MIN_PERCENTAGE, 50 - Math.floor(nodes / 125)) : percentage;
  return Math.min(nodes, Math.max(MIN_FEASIBLE, Math.floor((nodes * share) / 100)));
}
