import { readFileSync } from 'node:fs';
import { machineTime } from '@orrery/component';
import type { Clock } from '@orrery/component';

export interface FollowOptions {
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Default 10,000. */
  readonly everyMs?: number;
}

const EVERY_MS = 10_000;

/**
 * What files hold at this moment; undefined = one cannot be read (it is being replaced). Small and few: to ask the thread pool
 * for them takes longer, at each start and each look.
 */
function contentsOf(paths: readonly string[]): string | undefined {
  try {
    return paths.map((path) => readFileSync(path, 'base64')).join();
  } catch {
    return undefined;
  }
}

/**
 * Calls `changed` whenever files have come to hold something else, until the signal aborts; and again the next time when it
 * says false. Files are read again and again, as those that are links into a folder that is swapped (Secrets, ConfigMaps)
 * tell nobody of it.
 */
export async function followFiles(
  paths: readonly string[],
  { clock, signal, everyMs = EVERY_MS }: FollowOptions,
  changed: () => void | boolean | Promise<void | boolean>,
): Promise<void> {
  let known = contentsOf(paths);
  const machine = machineTime(clock);
  while (!signal.aborted) {
    await machine.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const now = contentsOf(paths);
    if (now === undefined || now === known) continue;
    if ((await changed()) !== false) known = now;
  }
}
