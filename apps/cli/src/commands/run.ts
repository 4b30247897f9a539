import { readFileSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import { APPS } from '../apps.js';
import type { Instance } from '../cluster/plan.js';

function readInstances(file: string): Instance[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Instance[];
  } catch (error) {
    throw new ConfigError(`${file}: cannot be read as a list of components`, { cause: error });
  }
}

/** Runs the components that `file` lists, as runTogether does. */
export const run = (file: string, signal: AbortSignal): Promise<void> =>
  runTogether(readInstances(file), signal, file);

/**
 * Runs several components in this process until `signal` aborts. When one fails all are stopped and its error is thrown:
 * the supervisor starts the group again.
 */
export async function runTogether(
  instances: readonly Instance[],
  signal: AbortSignal,
  source: string,
): Promise<void> {
  const stop = new AbortController();
  const abort = (): void => {
    stop.abort(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const results = await Promise.allSettled(
    instances.map(async ({ app, args }) => {
      const load = APPS[app];
      if (!load) throw new ConfigError(`${source}: unknown component ${app}`);
      try {
        await (await load()).run(args, { signal: stop.signal });
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason as Error;
}
