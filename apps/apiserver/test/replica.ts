import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Clock, LocalServers } from '@orrery/component';
import { SystemClock, SystemRandom, parseFlags, silentLogger } from '@orrery/component';
import { eventually, freeAddress } from '@orrery/testkit';
import { ApiServerOptions } from '../src/config/options.js';
import { startServer } from '../src/server.js';
import type { RunningServer } from '../src/server.js';

export type Json = Record<string, unknown>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
  readonly text: string;
  /** {} when the body is no JSON object. */
  readonly json: Json;
}

export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly tls?: RequestOptions;
}

/** An open watch: the bytes so far, and whether the server has ended it. */
export class OpenWatch {
  private readonly chunks: Buffer[] = [];
  readonly ended: Promise<'end' | 'cut'>;

  constructor(readonly response: IncomingMessage) {
    response.on('data', (chunk: Buffer) => this.chunks.push(chunk));
    this.ended = new Promise((resolve) => {
      response.on('end', () => {
        resolve('end');
      });
      response.on('error', () => {
        resolve('cut');
      });
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  events(): { type: string; object: Json }[] {
    const lines = this.bytes.toString('utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as { type: string; object: Json });
  }

  types(): string[] {
    return this.events().map(({ type }) => type);
  }
}

function toAnswer(response: IncomingMessage, chunks: readonly Buffer[]): Answer {
  const bytes = Buffer.concat(chunks);
  const text = bytes.toString('utf8');
  const isJson = text.startsWith('{') && !text.includes('}\n{');
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    bytes,
    text,
    json: isJson ? (JSON.parse(text) as Json) : {},
  };
}

function toBody(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  if (body === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** One API server of a spec, and what clients say to it. */
export class Replica {
  constructor(
    private readonly server: RunningServer,
    readonly host: string,
    private readonly tls: RequestOptions,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  get address(): string {
    return this.server.address;
  }

  ask(path: string, how: Ask = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.open(path, how, reject, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve(toAnswer(response, chunks));
        });
      });
    });
  }

  /** Opens a watch; resolves with the response's headers. */
  watch(path: string, how: Ask = {}): Promise<OpenWatch> {
    return new Promise((resolve, reject) => {
      this.open(path, how, reject, (response) => {
        resolve(new OpenWatch(response));
      });
    });
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.ask(path, { method: 'POST', body });
  }

  patch(path: string, type: string, body: unknown): Promise<Answer> {
    const headers = { 'content-type': `application/${type}` };
    return this.ask(path, { method: 'PATCH', body, headers });
  }

  async ready(): Promise<void> {
    await eventually(
      async () => {
        const { text } = await this.ask('/readyz?verbose');
        if (!text.includes('readyz check passed')) throw new Error(text);
      },
      { timeoutMs: 20_000 },
    );
  }

  close(): Promise<void> {
    return this.server.close();
  }

  private open(
    path: string,
    { method = 'GET', body, headers = {}, tls }: Ask,
    reject: (error: Error) => void,
    answer: (response: IncomingMessage) => void,
  ): void {
    const bytes = toBody(body);
    const all = {
      'user-agent': 'spec',
      'content-type': 'application/json',
      'content-length': bytes.length,
      ...this.headers,
      ...headers,
    };
    const options = { method, headers: all, rejectUnauthorized: false, ...(tls ?? this.tls) };
    const request = httpsRequest(new URL(path, this.server.address), options, answer);
    request.on('error', reject);
    request.end(bytes);
  }
}

export interface ReplicaOptions {
  readonly etcd: readonly string[];
  /** `/name/`. */
  readonly keyspace: string;
  readonly flags?: readonly string[];
  readonly clock?: Clock;
  /** How often files that may change are read again. */
  readonly reloadMs?: number;
  /** How clients of this replica show themselves. */
  readonly tls?: RequestOptions;
  /** Sent with every request: a token, say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where clients of this process find it. */
  readonly local?: LocalServers;
}

const START_LIMIT_MS = 40_000;

/** Which step of a start hung, before the limit of Jest that says nothing. */
function inTime<T>(failure: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      reject(new Error(`${failure} within ${START_LIMIT_MS} ms`));
    }, START_LIMIT_MS);
    void work.then(resolve, reject).finally(() => {
      clearTimeout(limit);
    });
  });
}

/** Starts an API server on an address of its own, from flags as a user writes them. */
export async function startReplica({
  etcd,
  keyspace,
  flags = [],
  clock = new SystemClock(),
  tls = {},
  headers = {},
  reloadMs,
  local,
}: ReplicaOptions): Promise<Replica> {
  const free = await freeAddress();
  const { port } = free;
  // Replicas of one cluster lie in one block.
  const host = free.host.replace(/^127\.\d+/, '127.240');
  const argv = [
    `--etcd-servers=${etcd.join(',')}`,
    `--etcd-prefix=${keyspace}`,
    `--bind-address=${host}`,
    `--secure-port=${port}`,
    '--service-cluster-ip-range=127.218.128.0/17',
    ...flags,
  ];
  const options = parseFlags(ApiServerOptions, argv, 'kube-apiserver');
  const deps = {
    clock,
    random: new SystemRandom(),
    logger: silentLogger,
    ...(reloadMs === undefined ? {} : { reloadMs }),
    ...(local ? { local } : {}),
  };
  const server = await inTime('the server did not listen', startServer(options, deps));
  const replica = new Replica(server, host, tls, headers);
  await inTime('/readyz did not answer', replica.ready());
  return replica;
}

export const metadataOf = ({ json }: { readonly json: Json }): Json =>
  (json['metadata'] ?? {}) as Json;

export const namesOf = ({ json }: { readonly json: Json }): string[] =>
  ((json['items'] ?? []) as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
