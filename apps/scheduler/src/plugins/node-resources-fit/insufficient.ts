import type { NodeInfo } from '../../cache/node-info.js';
import type { Resources } from '../../framework/resources.js';

export interface Shortage {
  /** '' = pods. */
  readonly resource: string;
  readonly reason: string;
  /** More than the whole node has: no eviction would help. */
  readonly hopeless: boolean;
}

type Room = Pick<NodeInfo, 'allocatable' | 'requested' | 'pods'>;

/** What the node lacks for a pod that asks for `want`, if anything. */
export function findShortages(want: Resources, node: Room): readonly Shortage[] {
  const { allocatable, requested } = node;
  const found: Shortage[] = [];
  if (node.pods.size + 1 > allocatable.pods)
    found.push({ resource: '', reason: 'Too many pods', hopeless: false });
  const check = (name: string, amount: number, all: number, used: number): void => {
    if (amount > 0 && amount > all - used)
      found.push({ resource: name, reason: `Insufficient ${name}`, hopeless: amount > all });
  };
  check('cpu', want.milliCpu, allocatable.milliCpu, requested.milliCpu);
  check('memory', want.memory, allocatable.memory, requested.memory);
  check(
    'ephemeral-storage',
    want.ephemeralStorage,
    allocatable.ephemeralStorage,
    requested.ephemeralStorage,
  );
  for (const [name, amount] of want.scalars)
    check(name, amount, allocatable.scalars.get(name) ?? 0, requested.scalars.get(name) ?? 0);
  return found;
}
