import { request } from 'node:https';
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

/** GET /healthz; certificates of components are their own, as upstream's prober expects. */
function healthz(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const url = `https://${host}:${port}/healthz`;
    const fail = (text: string): void => {
      reject(new Error(text));
    };
    const asked = request(url, { rejectUnauthorized: false, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else fail(`unhealthy http status code: ${response.statusCode} with body: ${text}`);
      });
    });
    asked.setTimeout(TIMEOUT_MS, () => asked.destroy(new Error('context deadline exceeded')));
    asked.on('error', ({ message }) => {
      fail(`Get "${url}": ${message}`);
    });
    asked.end();
  });
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
