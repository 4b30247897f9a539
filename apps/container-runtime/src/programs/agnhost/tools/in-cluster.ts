import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fatal, textOf } from '../agnhost.js';
import type { Agnhost } from '../agnhost.js';
import { hostPort } from '../http.js';

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
const TIMEOUT_MS = 30_000;

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** The API server as a pod's service account sees it (client-go rest.InClusterConfig). */
export class InClusterApi {
  private readonly origin: string;

  constructor(private readonly host: Agnhost) {
    const { KUBERNETES_SERVICE_HOST: address = '', KUBERNETES_SERVICE_PORT: port = '' } = host.env;
    if (address === '' || port === '')
      throw new Fatal(
        'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
      );
    this.origin = `https://${hostPort(address, port)}`;
  }

  /** Read at each use, since tokens are rotated. */
  token(): string {
    return readFileSync(join(this.host.root, FOLDER, 'token'), 'utf8').trim();
  }

  async get(pathOrUrl: string, token?: string): Promise<ApiAnswer> {
    const { request } = await import('node:https');
    const url = new URL(pathOrUrl, this.origin);
    const ca = readFileSync(join(this.host.root, FOLDER, 'ca.crt'));
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const asked = request(url, { ca, headers, agent: false, signal }, (got) => {
        const chunks: Buffer[] = [];
        got.on('data', (chunk: Buffer) => chunks.push(chunk));
        got.once('error', reject);
        got.once('end', () => {
          resolve({ status: got.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        });
      });
      asked.once('error', (error) => {
        reject(new Error(`Get "${url.href}": ${textOf(error)}`, { cause: error }));
      });
      asked.end();
    });
  }
}
