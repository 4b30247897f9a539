import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { ExtenderOptions } from '../config/extender-config.js';

type TlsFiles = NonNullable<ExtenderOptions['tlsConfig']>;

const read = (file: string | undefined): Buffer | undefined =>
  file ? readFileSync(file) : undefined;

function tlsOf(tls: TlsFiles | undefined): https.AgentOptions {
  const all = {
    rejectUnauthorized: !tls?.insecure,
    ...(tls?.serverName ? { servername: tls.serverName } : {}),
    ca: tls?.caData ? Buffer.from(tls.caData, 'base64') : read(tls?.caFile),
    cert: tls?.certData ? Buffer.from(tls.certData, 'base64') : read(tls?.certFile),
    key: tls?.keyData ? Buffer.from(tls.keyData, 'base64') : read(tls?.keyFile),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Go reads the names of JSON fields without regard to case, so extenders write them either way. */
function withLowerCaseNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name.toLowerCase(), each]),
  );
}

const readAll = (message: http.IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.once('end', () => {
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    message.once('error', reject);
  });

/** POSTs to one extender (k8s scheduler/extender.go:send). */
export class ExtenderClient {
  readonly #agent: http.Agent;
  readonly #isSecure: boolean;

  constructor(private readonly options: ExtenderOptions) {
    this.#isSecure = options.urlPrefix.startsWith('https:') || options.enableHTTPS;
    this.#agent = this.#isSecure
      ? new https.Agent({ keepAlive: true, ...tlsOf(options.tlsConfig) })
      : new http.Agent({ keepAlive: true });
  }

  /** The answer; the names of its own fields are in lower case. Rejects when there is none or it is not 200. */
  async send(verb: string, body: object, signal?: AbortSignal): Promise<unknown> {
    const { urlPrefix } = this.options;
    const message = await this.#post(`${urlPrefix.replace(/\/+$/, '')}/${verb}`, body, signal);
    const text = await readAll(message);
    if (message.statusCode !== 200)
      throw new Error(
        `failed ${verb} with extender at URL ${urlPrefix}, code ${message.statusCode ?? 0}`,
      );
    return withLowerCaseNames(JSON.parse(text));
  }

  #post(url: string, body: object, signal?: AbortSignal): Promise<http.IncomingMessage> {
    const request = this.#isSecure ? https.request : http.request;
    const text = JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        {
          method: 'POST',
          agent: this.#agent,
          timeout: this.options.httpTimeoutMs,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
          },
          ...(signal ? { signal } : {}),
        },
        resolve,
      );
      sent.once('timeout', () => {
        sent.destroy(new Error(`no answer within ${this.options.httpTimeoutMs} ms`));
      });
      sent.once('error', reject);
      sent.end(text);
    });
  }
}
