import type { X509Certificate } from 'node:crypto';
import { ConfigError } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { parseCertificates } from '@orrery/pki';
import { followFiles } from './follow-files.js';
import { readFlagFile } from './tls.js';

export interface ReloadDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** How often files are read again; absent = every 10 s. */
  readonly reloadMs?: number;
}

/** The options of `followFiles`. */
export const followOptions = ({
  clock,
  signal,
  reloadMs,
}: ReloadDeps): Parameters<typeof followFiles>[1] => ({
  clock,
  signal,
  ...(reloadMs === undefined ? {} : { everyMs: reloadMs }),
});

/** The certificates in a file that a flag names. Throws ConfigError. */
export function readCertificates(flag: string, path: string): readonly X509Certificate[] {
  if (path === '') return [];
  const text = readFlagFile(flag, path).toString('utf8');
  try {
    return parseCertificates(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--${flag}: ${path}: ${why}`, { cause: error });
  }
}

/**
 * The certificates that a file holds now; a new array whenever they have changed. What cannot be read leaves those of before
 * (k8s apiserver pkg/server/dynamiccertificates/dynamic_cafile_content.go). Throws ConfigError when it cannot at the start.
 */
export function followCertificates(
  flag: string,
  path: string,
  deps: ReloadDeps,
): () => readonly X509Certificate[] {
  let current = readCertificates(flag, path);
  if (path !== '')
    void followFiles([path], followOptions(deps), () => {
      try {
        current = readCertificates(flag, path);
        deps.logger.info('other certificates are trusted from now on', { flag, path });
      } catch (error) {
        deps.logger.error('the certificates stay as they were', { flag, err: String(error) });
      }
    });
  return () => current;
}
