import { isIP } from 'node:net';
import type { Clock, LocalPeer, LocalRequest, LocalServer, LocalServers } from '@orrery/component';
import { machineTime } from '@orrery/component';
import type { StreamedAnswer } from './http2-streams.js';
import type { HttpAnswer } from './transport.js';

export interface LocalWireOptions {
  readonly servers: LocalServers;
  /** https://host:port of the server. */
  readonly url: URL;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly clock: Clock;
  /** Requests under way at a time; more of them wait their turn. */
  readonly most: number;
}

/** What a request is sent with. */
export interface LocalSending {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Silence after which the request fails. */
  readonly timeoutMs: number;
}

/** The address that a connection to `host` comes from, on the machine that has the host. */
const sourceOf = (host: string): string =>
  isIP(host) === 0 || host.startsWith('127.') ? '127.0.0.1' : host;

/** Asks a server of the same process without connections. */
export class LocalWire {
  readonly #peer: LocalPeer;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(private readonly options: LocalWireOptions) {
    const { url, cert, key } = options;
    const remoteAddress = sourceOf(url.hostname.replaceAll(/[[\]]/g, ''));
    this.#peer = { remoteAddress, cert, key };
  }

  /** Undefined: it goes over the wire. */
  serverFor(request: Pick<LocalRequest, 'method' | 'path' | 'body'>): LocalServer | undefined {
    const server = this.options.servers.at(this.options.url.origin);
    return server?.takes(request) ? server : undefined;
  }

  /** The whole answer. */
  async send(server: LocalServer, sending: LocalSending): Promise<HttpAnswer> {
    await this.#enter();
    try {
      return await this.#within(sending, async (request) => {
        const { code, headers, body } = await server.ask(request);
        return { code, headers, body: body.toString('utf8') };
      });
    } finally {
      this.#leave();
    }
  }

  /** The head of an answer that goes on. */
  open(server: LocalServer, sending: LocalSending): Promise<StreamedAnswer> {
    return this.#within(sending, async (request) => {
      const { code, body, isWhole } = await server.open(request);
      const { signal } = sending;
      const end = (): void => {
        body.destroy(signal?.reason as Error);
      };
      if (signal?.aborted) end();
      signal?.addEventListener('abort', end, { once: true });
      body.once('close', () => signal?.removeEventListener('abort', end));
      return { code, body, isWhole };
    });
  }

  /** Ends the request when its answer does not come in time, or is not wanted any more. */
  async #within<T>(
    { signal, timeoutMs, ...request }: LocalSending,
    work: (request: LocalRequest) => Promise<T>,
  ): Promise<T> {
    const gone = new AbortController();
    const giveUp = (): void => {
      gone.abort(signal?.reason);
    };
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    const cancel = machineTime(this.options.clock).after(timeoutMs, () => {
      gone.abort(new Error(`no answer within ${timeoutMs} ms`));
    });
    try {
      return await work({ ...request, peer: this.#peer, signal: gone.signal });
    } finally {
      cancel();
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #enter(): Promise<void> | undefined {
    if (this.#underWay < this.options.most) {
      this.#underWay += 1;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#underWay -= 1;
  }
}
