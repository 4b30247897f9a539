import type { Random } from '@orrery/component';
import type { Cluster } from '../cluster/cluster.js';

export interface FaultContext {
  readonly cluster: Cluster;
  readonly random: Random;
  /** How long the fault is to last. */
  readonly holdMs: number;
  /** The ground truth has everything up to here: what may be compacted away. */
  readonly recordedTo: () => number;
}

/** A way to break a cluster: what `run` breaks it mends before it resolves. */
export interface FaultKind {
  readonly name: string;
  /** Needs a cluster of its own, with a small quota. */
  readonly quotaBytes?: number;
  run(context: FaultContext): Promise<void>;
}
