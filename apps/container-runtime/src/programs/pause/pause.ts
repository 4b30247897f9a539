import type { RunningProgram } from '../program.js';

/** Does nothing until it is told to stop. */
export function pause(): Promise<RunningProgram> {
  return Promise.resolve({
    stop: () => Promise.resolve(),
    kill: () => undefined,
    cpuNanoseconds: () => 0,
  });
}
