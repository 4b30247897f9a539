import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Socket } from 'node:net';
import type { StateCoverage } from '../report/state-coverage.js';

export type Json = Readonly<Record<string, unknown>>;

export interface Call {
  /** `https://host:port` */
  readonly server: string;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly timeoutMs?: number;
}

export interface HttpReply {
  /** False when not a byte of the request can have reached the server. */
  readonly wasSent: boolean;
  /** Absent when no whole answer came. */
  readonly code?: number;
  readonly json?: Json;
}

const DEFAULT_TIMEOUT_MS = 3000;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null;

export function field(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const name of path) current = isJson(current) ? current[name] : undefined;
  return current;
}

export function pathWithQuery({ path, query = {} }: Pick<Call, 'path' | 'query'>): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The reason of a Status; a refused revision of the future by its cause. */
export function reasonOf(json: Json | undefined): string | undefined {
  const causes = field(json, 'details', 'causes');
  const cause = Array.isArray(causes) ? field(causes[0], 'reason') : undefined;
  if (cause === 'ResourceVersionTooLarge') return cause;
  const reason = field(json, 'reason');
  return typeof reason === 'string' ? reason : undefined;
}

/** One client's connections, and what they say: Node's https alone, no code of the project. */
export class HttpSession {
  private readonly agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

  constructor(
    private readonly userAgent: string,
    private readonly coverage?: StateCoverage,
  ) {}

  /** Never rejects: what went wrong is an answer that did not come. */
  send(call: Call): Promise<HttpReply> {
    const { server, method, body, contentType = 'application/json' } = call;
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return new Promise((resolve) => {
      let wasSent = false;
      const done = (reply: Omit<HttpReply, 'wasSent'>): void => {
        if (reply.code !== undefined) this.coverage?.call(call, reply);
        resolve({ wasSent, ...reply });
      };
      const outgoing = request(
        new URL(pathWithQuery(call), server),
        {
          method,
          agent: this.agent,
          signal: AbortSignal.timeout(call.timeoutMs ?? DEFAULT_TIMEOUT_MS),
          headers: {
            'user-agent': this.userAgent,
            ...(bytes ? { 'content-type': contentType, 'content-length': bytes.length } : {}),
          },
        },
        (response) => {
          readJson(response).then(
            (json) => done({ code: response.statusCode ?? 0, json }),
            () => done({}),
          );
        },
      );
      outgoing.on('socket', (socket: Socket) => {
        // Not a byte of the request leaves before the handshake is over.
        if (outgoing.reusedSocket) wasSent = true;
        else socket.once('secureConnect', () => (wasSent = true));
      });
      outgoing.on('error', () => done({}));
      outgoing.end(bytes);
    });
  }

  /** Opens a watch on a connection of its own; undefined when no answer came. */
  open(call: Call): Promise<IncomingMessage | undefined> {
    return new Promise((resolve) => {
      const outgoing = request(
        new URL(pathWithQuery(call), call.server),
        {
          method: 'GET',
          agent: false,
          rejectUnauthorized: false,
          headers: { 'user-agent': this.userAgent },
        },
        (response) => {
          clearTimeout(timer);
          resolve(response);
        },
      );
      const timer = setTimeout(() => outgoing.destroy(), call.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      outgoing.on('error', () => {
        clearTimeout(timer);
        resolve(undefined);
      });
      outgoing.end();
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

export async function readJson(response: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  return isJson(value) ? value : {};
}
