import { parseDuration } from '@orrery/component';

/** Behaviour that a user scripts for a container; see README.md. */
export interface Script {
  /** A built-in program listens only after this. */
  readonly startDelayMs: number;
  /** The container ends by itself after this; undefined = never. */
  readonly exitAfterMs: number | undefined;
  readonly exitCode: number;
  readonly failEvery: number;
}

export interface ScriptSource {
  readonly container: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * `ORRERY_EXIT_AFTER` of the container's environment, else the pod's annotation
 * `NAME.container.orrery.dev/exit-after`, else `orrery.dev/exit-after`; so for every setting.
 */
export function scriptOf({ container, annotations, env }: ScriptSource): Script {
  const read = (name: string): string | undefined =>
    env[`ORRERY_${name.toUpperCase().replaceAll('-', '_')}`] ??
    annotations[`${container}.container.orrery.dev/${name}`] ??
    annotations[`orrery.dev/${name}`];
  const count = (name: string): number | undefined => {
    const value = Number(read(name));
    return Number.isInteger(value) && value >= 0 ? value : undefined;
  };
  return {
    startDelayMs: parseDuration(read('start-delay') ?? '') ?? 0,
    exitAfterMs: parseDuration(read('exit-after') ?? ''),
    exitCode: count('exit-code') ?? 1,
    failEvery: count('fail-every') ?? 0,
  };
}
