import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { decodeYaml } from '@orrery/apimachinery';
import { ConfigError, inRootfs, validateConfig } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { KubeProxyConfiguration } from './kube-proxy-configuration.js';
import { problemsOf } from './validation.js';

const WATCH_MS = 500;

function parse(path: string, bytes: Buffer): KubeProxyConfiguration {
  const { value, duplicateFields } = decodeYaml(bytes);
  if (duplicateFields.length > 0)
    throw new ConfigError(`${path}: field set twice: ${duplicateFields.join(', ')}`);
  const config = validateConfig(KubeProxyConfiguration, value, path);
  const problems = problemsOf(config);
  if (problems.length > 0) throw new ConfigError(`${path}: ${problems.join('; ')}`);
  return config;
}

/** Reads the KubeProxyConfiguration; upstream's defaults without a file. Throws ConfigError. */
export function readConfiguration(path: string): KubeProxyConfiguration {
  if (path === '') return new KubeProxyConfiguration();
  try {
    return parse(path, readFileSync(inRootfs(path)));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--config ${path}: ${why}`, { cause: error });
  }
}

export interface WatchOptions {
  readonly path: string;
  /** What the file said when it was read: it may say something else by the time that it is watched. */
  readonly current: KubeProxyConfiguration;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly changed: (config: KubeProxyConfiguration) => void;
}

/** Calls `changed` whenever the file says something else, until the signal aborts; a bad file changes nothing. */
export async function watchConfiguration(
  options: WatchOptions,
  signal: AbortSignal,
): Promise<void> {
  const { path, clock, logger, changed } = options;
  let { current } = options;
  let before: Buffer | undefined;
  while (!signal.aborted) {
    try {
      const now = readFileSync(inRootfs(path));
      if (before === undefined || !now.equals(before)) {
        before = now;
        const config = parse(path, now);
        if (!isDeepStrictEqual(config, current)) changed(config);
        current = config;
      }
    } catch (error) {
      logger.error('the configuration stays as it is', error);
    }
    await clock.sleep(WATCH_MS, signal).catch(() => undefined);
  }
}

/** Sets the process's badness for the OOM killer; without the privilege it is said and nothing changes. */
export function setOomScore(adjustment: number | null | undefined, logger: Logger): void {
  if (adjustment === undefined || adjustment === null) return;
  try {
    writeFileSync('/proc/self/oom_score_adj', String(adjustment));
  } catch (error) {
    logger.warn('oomScoreAdj could not be set', {
      oomScoreAdj: adjustment,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}
