import type { RowContext } from '../row.js';

export interface Reproduction {
  readonly isReproduced: boolean;
  /** The version that is there has the correction, and the bug did not show. */
  readonly isCorrected?: boolean;
  /** The project itself showed the bug where it promises not to. */
  readonly isViolation?: boolean;
  readonly detail: string;
}

/** A bug of somebody's that is made to happen before one's eyes. */
export interface KnownBug {
  readonly name: string;
  run(context: RowContext): Promise<Reproduction>;
}
