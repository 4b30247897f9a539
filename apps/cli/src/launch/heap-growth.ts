import * as nodeModule from 'node:module';
import { setFlagsFromString } from 'node:v8';

/** By itself V8 lets a heap grow to some three times of what was alive, and takes half a minute of idling to give it back. */
const GROWTH_PERCENT = 60;

/**
 * From here on the heap is collected when it has grown by {@link GROWTH_PERCENT}. Not from the start on, which would take a sixth more of CPU time;
 * and compiled code that is kept must have been written before, since V8 takes none that was made with other flags.
 */
export function boundHeapGrowth(): void {
  // Node 20 has none, and writes what it keeps at the end.
  (nodeModule as { flushCompileCache?: () => void }).flushCompileCache?.();
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
