import 'reflect-metadata';
import { SystemClock, runMain } from '@orrery/component';
import { APPS } from '../apps.js';
import { app } from '../index.js';
import { boundHeapGrowth } from './heap-growth.js';

/** A start is over by then. Later V8 forgets code that it has not run for a while. */
const START_MS = 15_000;

/**
 * Runs `orrery`, or the component of this name, with this process's arguments, until it ends. `onStarted` is called when its
 * start is over, unless it ends before.
 */
export async function run(name: string, onStarted: () => void): Promise<void> {
  const load = APPS[name];
  void new SystemClock().sleep(START_MS).then(() => {
    onStarted();
    boundHeapGrowth();
  });
  await runMain(load ? await load() : app);
}
