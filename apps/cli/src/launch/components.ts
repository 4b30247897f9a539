import 'reflect-metadata';
import { SystemClock, runMain } from '@orrery/component';
import { APPS } from '../apps.js';
import { app } from '../index.js';
import { handOver } from '../test-server/begin.js';
import type { BegunServer } from '../test-server/begin.js';
import { boundHeapGrowth } from './heap-growth.js';

/** A start is over by then. Later V8 forgets code that it has not run for a while. */
const START_MS = 15_000;

/**
 * Runs `orrery`, or the component of this name, with this process's arguments, until it ends. `onStarted` is called when its
 * start is over, unless it ends before. `begun`: the first steps of a test server, taken already.
 */
export async function run(
  name: string,
  onStarted: () => void,
  begun?: Promise<BegunServer>,
): Promise<void> {
  handOver(begun);
  const load = APPS[name];
  void new SystemClock().sleep(START_MS).then(() => {
    onStarted();
    boundHeapGrowth();
  });
  await runMain(load ? await load() : app);
}
