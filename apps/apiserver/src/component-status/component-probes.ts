import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { joinHostPort } from '@orrery/component';
import type { Storage } from '@orrery/storage';
import type { ApiServerOptions } from '../config/options.js';

/** Asks one component how it is. Throws when it is not well, with the text to show. */
export interface ComponentProbe {
  readonly name: string;
  readonly check: () => Promise<string>;
}

const SCHEDULER_PORT = 10259;
const CONTROLLER_MANAGER_PORT = 10257;
const TIMEOUT_MS = 5_000;

type Scheme = 'http' | 'https';

/** OpenSSL's word for an answer that is not TLS: the component serves plain HTTP. */
const NOT_TLS = 'wrong version number';

/** GET /healthz; certificates of components are their own, as upstream's prober expects. */
function healthzOver(scheme: Scheme, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const url = `${scheme}://${joinHostPort(host, port)}/healthz`;
    const options = { rejectUnauthorized: false, agent: false as const };
    const asked = scheme === 'https' ? secureRequest(url, options) : plainRequest(url, options);
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const { statusCode } = response;
        if (statusCode === 200) resolve(text);
        else reject(new Error(`unhealthy http status code: ${statusCode} with body: ${text}`));
      });
    });
    asked.setTimeout(TIMEOUT_MS, () => asked.destroy(new Error('context deadline exceeded')));
    asked.on('error', ({ message, code }: NodeJS.ErrnoException) => {
      const refused = `dial tcp ${host}:${port}: connect: connection refused`;
      reject(new Error(`Get "${url}": ${code === 'ECONNREFUSED' ? refused : message}`));
    });
    asked.end();
  });
}

/** Upstream asks over TLS; a component of Orrery may serve its health without. */
async function healthz(host: string, port: number): Promise<string> {
  try {
    return await healthzOver('https', host, port);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes(NOT_TLS)) throw error;
    return healthzOver('http', host, port);
  }
}

/** The components upstream asks: scheduler and controller manager beside this server, and etcd. */
export function componentProbes(options: ApiServerOptions, storage: Storage): ComponentProbe[] {
  const host = options.bindAddress === '0.0.0.0' ? '127.0.0.1' : options.bindAddress;
  return [
    { name: 'scheduler', check: () => healthz(host, SCHEDULER_PORT) },
    { name: 'controller-manager', check: () => healthz(host, CONTROLLER_MANAGER_PORT) },
    ...(options.etcdServers.length > 0 ? options.etcdServers : ['']).map((_server, i) => ({
      name: `etcd-${i}`,
      check: async () => {
        await storage.revision();
        return 'ok';
      },
    })),
  ];
}
