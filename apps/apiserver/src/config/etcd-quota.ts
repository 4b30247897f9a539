import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Logger } from '@orrery/component';
import type { ApiServerOptions } from './options.js';
import { readFlagFile } from './tls.js';

/** What etcd takes when it is told nothing (etcd server/storage/quota.go:DefaultQuotaBytes). */
const DEFAULT_QUOTA = 2 * 1024 ** 3;
const ANSWER_MS = 5000;

function tlsOf(options: ApiServerOptions): object {
  const { etcdCaFile, etcdCertFile, etcdKeyFile } = options;
  return {
    ...(etcdCaFile ? { ca: readFlagFile('etcd-cafile', etcdCaFile) } : {}),
    ...(etcdCertFile ? { cert: readFlagFile('etcd-certfile', etcdCertFile) } : {}),
    ...(etcdKeyFile ? { key: readFlagFile('etcd-keyfile', etcdKeyFile) } : {}),
  };
}

function get(url: URL, tls: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const asked = request(url, { ...tls, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve(Buffer.concat(chunks).toString('utf8'));
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** The quota that etcd's metrics tell; undefined when they tell none. */
export function quotaIn(metrics: string): number | undefined {
  const [, value] = /^etcd_server_quota_backend_bytes (\S+)$/m.exec(metrics) ?? [];
  const quota = Number(value);
  return Number.isFinite(quota) && quota > 0 ? quota : undefined;
}

/**
 * The bytes at which etcd takes no more writes: as the flag says, else as the members' metrics do (its API does not
 * tell), else etcd's default.
 */
export async function etcdQuota(options: ApiServerOptions, logger: Logger): Promise<number> {
  if (options.etcdQuotaBackendBytes > 0) return options.etcdQuotaBackendBytes;
  for (const server of options.etcdServers) {
    try {
      const quota = quotaIn(await get(new URL('/metrics', server), tlsOf(options)));
      if (quota !== undefined) return quota;
    } catch (error) {
      logger.debug('etcd does not tell its quota', { server, err: String(error) });
    }
  }
  logger.warn("etcd does not tell its quota: history is kept as if it were etcd's default", {
    bytes: DEFAULT_QUOTA,
  });
  return DEFAULT_QUOTA;
}
