import type { Fence, KubeObject } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import type { Clock, LocalServers } from '@orrery/component';
import { ConfigError, KUBERNETES_VERSION, SystemClock } from '@orrery/component';
import type { KubeClient, ResourceClient } from './client.js';
import { HttpResourceClient } from './resource-client.js';
import { hasOlderVersions } from './older-versions.js';
import type { RateLimit } from './rate-limit.js';
import type { RequestObserver } from './rest-client-metrics.js';
import { FileToken, fixedToken, noToken } from './token-source.js';
import type { TokenSource } from './token-source.js';
import { Transport } from './transport.js';
import type { HttpRequest } from './transport.js';
import type { VersionedParts } from './versioned-resource-client.js';
import { VersionedResourceClient } from './versioned-resource-client.js';
import { lineStream } from './watch-stream.js';

/** Where the API server is and who asks. */
export interface ConnectOptions {
  /** `https://host:port`, also with a path prefix such as `/at/1234`. */
  readonly server: string;
  /** PEM of the authorities that may have signed the server's certificate; default the machine's. */
  readonly ca?: string | undefined;
  /** PEM of the client's certificate and key, both or none. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** A bearer token; `tokenFile` wins and is read again every minute and after a 401. */
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** Where tokens come from that are neither; wins over both. */
  readonly tokens?: TokenSource | undefined;
  /** Name to expect in the server's certificate instead of the host of `server`. */
  readonly serverName?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly userAgent?: string | undefined;
  /** Silence after which a request other than a watch fails with ConnectionError; default 60 s. */
  readonly requestTimeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** The Lease under which each write is made: our API server refuses it with 409 Fenced once that has passed on. */
  readonly fence?: (() => Fence | undefined) | undefined;
  /** How many requests may be sent, by all clients that share the limit; watches do not count. Default no limit. */
  readonly limit?: RateLimit | undefined;
  /** Told of each request, e.g. restClientMetrics(). */
  readonly observer?: RequestObserver | undefined;
  /** Servers of this process: one that is among them is asked without connections. */
  readonly local?: LocalServers | undefined;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** Silence after which a stream is given up. */
const STREAM_IDLE_MS = 3_600_000;

function tokensOf({ token, tokenFile, tokens }: ConnectOptions, clock: Clock): TokenSource {
  if (tokens) return tokens;
  if (tokenFile) return new FileToken(tokenFile, clock);
  return token ? fixedToken(token) : noToken;
}

function checkServer(server: string): void {
  if (!/^https?:\/\/[^/]/.test(server) || !URL.canParse(server))
    throw new ConfigError(
      `server ${JSON.stringify(server)} is not a URL such as https://host:6443`,
    );
}

class HttpKubeClient implements KubeClient {
  readonly #clients = new Map<string, ResourceClient<KubeObject>>();
  readonly #versioned: VersionedParts = {
    clientOf: (ref) => new HttpResourceClient(this.transport, ref),
    servedVersions: async (group) => {
      const { code, body } = await this.raw(`/apis/${group}`);
      if (code !== 200) return [];
      const { versions = [] } = JSON.parse(body) as { versions?: { version: string }[] };
      return versions.map(({ version }) => version);
    },
  };

  constructor(private readonly transport: Transport) {}

  resource<T extends KubeObject>(ref: ResourceRef<T>): ResourceClient<T> {
    const name = `${ref.group}/${ref.version}/${ref.plural}`;
    let client = this.#clients.get(name) as ResourceClient<T> | undefined;
    if (!client) {
      client = hasOlderVersions(ref)
        ? new VersionedResourceClient<T>(ref, this.#versioned)
        : new HttpResourceClient<T>(this.transport, ref);
      this.#clients.set(name, client as unknown as ResourceClient<KubeObject>);
    }
    return client;
  }

  async raw(
    path: string,
    signal?: AbortSignal,
    options: Pick<Partial<HttpRequest>, 'method' | 'body' | 'accept' | 'etag'> = {},
  ): Promise<{ code: number; body: string; etag?: string | undefined }> {
    const request = { method: 'GET' as const, ...options, path, signal };
    const { code, body, headers } = await this.transport.send(request);
    return { code, body, etag: headers.etag };
  }

  async close(): Promise<void> {
    this.transport.close();
  }
}

function transportOf(options: ConnectOptions): Transport {
  checkServer(options.server);
  if ((options.cert === undefined) !== (options.key === undefined))
    throw new ConfigError('a client certificate and its key must be given together');
  const clock = options.clock ?? new SystemClock();
  const { ca, cert, key, serverName, insecureSkipTlsVerify } = options;
  return new Transport({
    server: options.server,
    tls: { ca, cert, key, serverName, insecureSkipTlsVerify },
    tokens: tokensOf(options, clock),
    userAgent: options.userAgent ?? `orrery/${KUBERNETES_VERSION}`,
    requestTimeoutMs: options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS,
    clock,
    fence: options.fence,
    limit: options.limit,
    observer: options.observer,
    local: options.local,
  });
}

/** A client of one API server. Nothing is sent before the first call. Throws ConfigError for unusable options. */
export const connect = (options: ConnectOptions): KubeClient =>
  new HttpKubeClient(transportOf(options));

/** The lines of a GET as they come, for as long as the server sends: for paths that stream something else than watches. */
export async function* streamLines(
  options: ConnectOptions,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const transport = transportOf(options);
  try {
    yield* lineStream(transport, path, { signal, timeoutMs: STREAM_IDLE_MS });
  } finally {
    transport.close();
  }
}
