import type { InformerRecord } from './informer-record.js';
import type { LogCoverage, LogEvent } from './log-event.js';
import type { Operation } from './operation.js';
import type { WatchRecord } from './watch-record.js';

/** A time in which something was broken on purpose. */
export interface FaultWindow {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Everything one run recorded. Times are nanoseconds of one monotonic clock. */
export interface History {
  /** Seed, versions, timers: whatever a reader of a failing history needs to repeat it. */
  readonly labels: Readonly<Record<string, string>>;
  readonly operations: readonly Operation[];
  readonly events: readonly LogEvent[];
  readonly coverage: LogCoverage;
  readonly watches: readonly WatchRecord[];
  readonly informers: readonly InformerRecord[];
  readonly faults: readonly FaultWindow[];
}
