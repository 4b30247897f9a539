import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { Server } from 'node:https';
import type { Random } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import type { RelayAddress } from '../cluster/relay.js';

/** What a proxy may do to one request before it is passed on. */
export interface Lie {
  /** Answers the request itself; undefined = pass it on. */
  answer?(asked: Asked): { readonly code: number; readonly body: unknown } | undefined;
  /** Another server and path to ask instead. */
  redirect?(asked: Asked): { readonly server: string; readonly path: string } | undefined;
  /** False = this line of a watch is not passed on. */
  passesLine?(line: string): boolean;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

export interface LyingProxyOptions {
  readonly address: RelayAddress;
  readonly server: string;
  readonly lie: Lie;
  readonly random: Random;
}

async function readAll(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Stands between clients and an API server and breaks one promise: the checkers must notice. */
export class LyingProxy {
  private readonly agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

  private constructor(
    private readonly options: LyingProxyOptions,
    private readonly server: Server,
  ) {}

  static async start(options: LyingProxyOptions): Promise<LyingProxy> {
    const now = new SystemClock().now();
    const { certPem, keyPem } = await issueCertificate(await createCa('lying-proxy', now), {
      commonName: 'lying-proxy',
      usages: ['serverAuth'],
      now,
      sans: { dns: [], ips: [options.address.host] },
    });
    const server = createServer({ cert: certPem, key: keyPem });
    const proxy = new LyingProxy(options, server);
    server.on('request', (asked: IncomingMessage, response: ServerResponse) => {
      proxy.serve(asked, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => {
      server.listen(options.address.port, options.address.host, resolve);
    });
    return proxy;
  }

  get url(): string {
    return `https://${this.options.address.host}:${this.options.address.port}`;
  }

  async close(): Promise<void> {
    this.agent.destroy();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', this.options.server);
    const body = await readAll(incoming);
    const asked: Asked = {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body,
    };
    const { lie, server } = this.options;
    const answer = lie.answer?.(asked);
    if (answer) {
      response.writeHead(answer.code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
      return;
    }
    const target = lie.redirect?.(asked) ?? { server, path: url.pathname + url.search };
    this.pass(incoming, response, { ...target, body, isWatch: url.searchParams.has('watch') });
  }

  private pass(
    incoming: IncomingMessage,
    response: ServerResponse,
    target: { server: string; path: string; body: string; isWatch: boolean },
  ): void {
    const { 'accept-encoding': _encoding, host: _host, ...headers } = incoming.headers;
    const outgoing = request(
      new URL(target.path, target.server),
      {
        method: incoming.method ?? 'GET',
        headers,
        ...(target.isWatch ? { agent: false, rejectUnauthorized: false } : { agent: this.agent }),
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        if (target.isWatch) this.passLines(answer, response);
        else answer.pipe(response);
      },
    );
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    outgoing.end(target.body);
  }

  private passLines(answer: IncomingMessage, response: ServerResponse): void {
    const { lie } = this.options;
    let rest = '';
    response.flushHeaders();
    answer.setEncoding('utf8');
    answer.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (lie.passesLine?.(line) ?? true) response.write(`${line}\n`);
    });
    answer.on('end', () => response.end());
    answer.on('error', () => response.destroy());
  }
}
