import { parseQuantity } from '@orrery/apimachinery';
import { parseDuration } from '@orrery/component';

/** Behaviour that a user scripts for a container; see README.md. */
export interface Script {
  /** A built-in program listens only after this. */
  readonly startDelayMs: number;
  /** The container ends by itself after this; undefined = never. */
  readonly exitAfterMs: number | undefined;
  readonly exitCode: number;
  readonly failEvery: number;
  /** Bytes that the container is said to use, and how many more each second. */
  readonly memoryBytes: number;
  readonly memoryGrowth: number;
  readonly cpuCores: number;
  /** A line that is written to the log again and again. */
  readonly logLine: string;
  readonly logEveryMs: number | undefined;
}

export interface ScriptSource {
  readonly container: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** What the image's rule says: `exitAfter`. */
  readonly image?: Readonly<Record<string, string>>;
}

const toCamel = (name: string): string =>
  name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** A quantity such as 64Mi or 250m; 0 for what is none. */
function amount(text: string | undefined): number {
  if (text === undefined) return 0;
  try {
    return Math.max(0, Number(parseQuantity(text).nanos) / 1e9);
  } catch {
    return 0;
  }
}

/**
 * `ORRERY_EXIT_AFTER` of the container's environment, else the pod's annotation
 * `NAME.container.orrery.dev/exit-after`, else `orrery.dev/exit-after`, else what the image's rule says; so for every
 * setting.
 */
export function scriptOf({ container, annotations, env, image = {} }: ScriptSource): Script {
  const read = (name: string): string | undefined =>
    env[`ORRERY_${name.toUpperCase().replaceAll('-', '_')}`] ??
    annotations[`${container}.container.orrery.dev/${name}`] ??
    annotations[`orrery.dev/${name}`] ??
    image[toCamel(name)];
  const count = (name: string): number | undefined => {
    const value = Number(read(name));
    return Number.isInteger(value) && value >= 0 ? value : undefined;
  };
  return {
    startDelayMs: parseDuration(read('start-delay') ?? '') ?? 0,
    exitAfterMs: parseDuration(read('exit-after') ?? ''),
    exitCode: count('exit-code') ?? 1,
    failEvery: count('fail-every') ?? 0,
    memoryBytes: amount(read('memory')),
    memoryGrowth: amount(read('memory-growth')),
    cpuCores: amount(read('cpu')),
    logLine: read('log-line') ?? 'still here',
    logEveryMs: parseDuration(read('log-every') ?? ''),
  };
}
