import type { Random } from '@orrery/component';
import type { StateCoverage } from '../report/state-coverage.js';

/** What every row is given. */
export interface RowContext {
  readonly seed: number;
  readonly random: Random;
  readonly block: number;
  readonly etcdBinary?: string;
  readonly coverage: StateCoverage;
  /** Tells who waits what is being done. */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}
