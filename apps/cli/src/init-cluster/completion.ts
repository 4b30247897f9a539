import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { writePrivate } from '@orrery/pki';

/** Name of the file. */
export const COMPLETION = 'completion.json';
const POLL_MS = 50;

/** What `orrery init-cluster` writes last: that all is there, for whom, and until when none of it wants renewal. */
export interface Completion {
  /** As `--completion` has it: all that what was made depends on. */
  readonly of: string;
  /** Milliseconds since the epoch. */
  readonly renewAt: number;
}

/** From now on nobody waits in vain, nor sees what is half made. */
export function writeCompletion(dir: string, completion: Completion): void {
  writePrivate(join(dir, COMPLETION), JSON.stringify(completion));
}

export function removeCompletion(dir: string): void {
  rmSync(join(dir, COMPLETION), { force: true });
}

const isCompletion = (value: unknown): value is Completion =>
  typeof value === 'object' && value !== null && 'of' in value && 'renewAt' in value;

/** Undefined when there is none, or something else by its name. Throws when it is there and may not be read. */
export async function readCompletion(dir: string): Promise<Completion | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dir, COMPLETION), 'utf8'));
    return isCompletion(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT')
      return undefined;
    throw error;
  }
}

export interface CompletionWait {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly dir: string;
  readonly of: string;
  /** How long `init-cluster` may take to begin and end. */
  readonly waitMs: number;
  /** How long it may take to renew what is there and still holds; without a renewal that is used. */
  readonly renewalMs: number;
}

/**
 * Resolves when the folder holds what `init-cluster --completion=OF` makes. What it made for other values, in a folder that was
 * kept, is not taken for it. Throws ConfigError in one line when the time is over.
 */
export async function untilCompleted(options: CompletionWait): Promise<void> {
  const { clock, signal, dir, of, waitMs, renewalMs } = options;
  const start = clock.monotonic();
  for (;;) {
    const found = await readCompletion(dir).catch((error: unknown) => {
      throw new ConfigError(`--after-init ${dir}: ${(error as Error).message}`, { cause: error });
    });
    const waitedMs = clock.monotonic() - start;
    if (found?.of === of && (found.renewAt > clock.now() || waitedMs > renewalMs)) return;
    if (waitedMs > waitMs) {
      const instead = found ? `, but for "${found.of}"` : '';
      throw new ConfigError(
        `--after-init ${dir}: init-cluster has made nothing for "${of}" within ${waitMs / 1000} s${instead}: see what it says`,
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}
