import type { Agent, IncomingMessage } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { posix } from 'node:path';
import type { Clock } from '@orrery/component';

/** Where a hook of another program listens. */
export interface HookTarget {
  /** As the configuration writes it; shown in errors. */
  readonly url: string;
  /** Checked address and port to dial in place of the URL's host. */
  readonly dial?: { readonly host: string; readonly port: number };
  readonly ca?: string | Buffer;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  /** Name that the certificate must carry; default: the URL's host. */
  readonly serverName?: string;
  readonly insecureSkipTlsVerify?: boolean;
}

export interface HookAnswer {
  readonly status: number;
  readonly text: string;
}

export interface HookCall {
  readonly body: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Adds `?timeout=10s`, as client-go does. */
  readonly sendTimeout?: boolean;
}

/** A hook that could not be asked; the message is in the words of Go's net/http. */
export class HookError extends Error {
  override readonly name = 'HookError';
}

/** The hook had closed a kept connection just before it was used again. */
class StaleConnection extends Error {}

/** Answers larger than this are refused. */
const ANSWER_LIMIT = 8 * 1024 * 1024;
/** Kept connections of targets used last. */
const AGENTS = 64;

const DEADLINE = 'context deadline exceeded';

const UNKNOWN_AUTHORITY =
  'tls: failed to verify certificate: x509: certificate signed by unknown authority';
const EXPIRED =
  'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';

const FAILURES: Readonly<Record<string, (address: string, message: string) => string>> = {
  ECONNREFUSED: (address) => `dial tcp ${address}: connect: connection refused`,
  EHOSTUNREACH: (address) => `dial tcp ${address}: connect: no route to host`,
  ETIMEDOUT: (address) => `dial tcp ${address}: i/o timeout`,
  ENOTFOUND: (address) => `dial tcp: lookup ${address.replace(/:\d+$/, '')}: no such host`,
  EAI_AGAIN: (address) => `dial tcp: lookup ${address.replace(/:\d+$/, '')}: no such host`,
  ECONNRESET: () => 'EOF',
  EPROTO: (_address, message) =>
    message.includes('wrong version number')
      ? 'http: server gave HTTP response to HTTPS client'
      : message,
  CERT_HAS_EXPIRED: () => EXPIRED,
  CERT_NOT_YET_VALID: () => EXPIRED,
  ERR_TLS_CERT_ALTNAME_INVALID: (_address, message) =>
    `tls: failed to verify certificate: x509: ${message}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: () => UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: () => UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: () => UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => UNKNOWN_AUTHORITY,
};

/** Why a connection failed, in Go's words. */
export function connectionFailure(error: unknown, address: string): string {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return FAILURES[code]?.(address, message) ?? (message || code || 'unknown error');
}

/** At most {@link ANSWER_LIMIT} bytes. */
async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_LIMIT) throw new HookError('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Posts JSON to hooks, over connections that are kept per target. Never follows a redirect (CVE-2020-8561): a 3xx is an
 * answer like any other. Nothing of an answer is logged.
 */
export class HookPoster {
  private readonly agents = new Map<string, Agent>();

  constructor(private readonly clock: Clock) {}

  async post(target: HookTarget, call: HookCall): Promise<HookAnswer> {
    const url = new URL(target.url);
    url.pathname = cleanPath(url.pathname);
    if (call.sendTimeout && call.timeoutMs)
      url.searchParams.set('timeout', `${Math.ceil(call.timeoutMs / 1000)}s`);
    const ended = new AbortController();
    let why = 'context canceled';
    const end = (): void => {
      ended.abort();
    };
    const cancel = call.timeoutMs
      ? this.clock.after(call.timeoutMs, () => {
          why = DEADLINE;
          end();
        })
      : undefined;
    call.signal?.addEventListener('abort', end, { once: true });
    if (call.signal?.aborted) end();
    try {
      return await this.exchange(url, target, call.body, ended.signal).catch((error: unknown) => {
        if (!(error instanceof StaleConnection)) throw error;
        return this.exchange(url, target, call.body, ended.signal);
      });
    } catch (error) {
      if (ended.signal.aborted) throw new HookError(`Post "${url.href}": ${why}`);
      if (error instanceof HookError) throw error;
      const { host, port } = target.dial ?? { host: url.hostname, port: portOf(url) };
      throw new HookError(`Post "${url.href}": ${connectionFailure(error, `${host}:${port}`)}`, {
        cause: error,
      });
    } finally {
      cancel?.();
      call.signal?.removeEventListener('abort', end);
    }
  }

  /** Ends the kept connections. */
  close(): void {
    for (const agent of this.agents.values()) agent.destroy();
    this.agents.clear();
  }

  private async exchange(
    url: URL,
    target: HookTarget,
    body: string,
    signal: AbortSignal,
  ): Promise<HookAnswer> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const bytes = Buffer.from(body);
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const outgoing = send({
        method: 'POST',
        host: target.dial?.host ?? url.hostname.replace(/^\[|\]$/g, ''),
        port: target.dial?.port ?? portOf(url),
        path: `${url.pathname}${url.search}`,
        agent: this.agentOf(url, target),
        signal,
        headers: {
          host: url.host,
          accept: 'application/json, */*',
          'content-type': 'application/json',
          'content-length': bytes.length,
          'user-agent': 'kube-apiserver-admission',
          ...(target.token ? { authorization: `Bearer ${target.token}` } : {}),
        },
      });
      outgoing.once('response', resolve);
      outgoing.once('error', (error) => {
        const { code } = error as { code?: string };
        const stale = outgoing.reusedSocket && code === 'ECONNRESET';
        reject(stale ? new StaleConnection('EOF', { cause: error }) : error);
      });
      outgoing.end(bytes);
    });
    return { status: answer.statusCode ?? 500, text: await readAll(answer) };
  }

  private agentOf(url: URL, target: HookTarget): Agent {
    const { ca, cert, key, serverName, insecureSkipTlsVerify } = target;
    const id = JSON.stringify([url.host, target.dial, String(ca ?? ''), cert, serverName]);
    const known = this.agents.get(id);
    if (known) {
      // The least recently used goes first.
      this.agents.delete(id);
      this.agents.set(id, known);
      return known;
    }
    const made =
      url.protocol === 'http:'
        ? new HttpAgent({ keepAlive: true })
        : new HttpsAgent({
            keepAlive: true,
            // A name is sent only where there is one; addresses are checked without (RFC 6066).
            servername: serverName ?? (isIP(url.hostname) === 0 ? url.hostname : ''),
            rejectUnauthorized: !insecureSkipTlsVerify,
            ...(ca === undefined || ca.length === 0 ? {} : { ca }),
            ...(cert && key ? { cert, key } : {}),
          });
    this.agents.set(id, made);
    const [oldest] = this.agents.keys();
    if (this.agents.size > AGENTS && oldest !== undefined) {
      this.agents.get(oldest)?.destroy();
      this.agents.delete(oldest);
    }
    return made;
  }
}

/** Without double and trailing slashes, as client-go asks (rest/request.go:NewRequest joins paths by Go's path.Join). */
const cleanPath = (path: string): string => posix.join('/', path).replace(/(?<=.)\/$/, '');

const portOf = ({ port, protocol }: URL): number =>
  port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port);
