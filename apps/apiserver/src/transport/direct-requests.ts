import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { ApiRequest } from '../filters/api-request.js';
import { DirectReply } from './api-reply.js';
import type { ApiReply } from './api-reply.js';
import { RequestStarts } from './request-starts.js';

type Handler = (raw: IncomingMessage, response: ServerResponse<IncomingMessage>) => void;

/** Where an ApiRequest comes from: this, or a request of Fastify's. */
export interface RequestSource {
  readonly raw: IncomingMessage;
  readonly headers: IncomingMessage['headers'];
  /** Set once it has been read. */
  readonly body?: unknown;
}

/** One request outside the framework. */
class DirectRequest implements RequestSource {
  body: Buffer | undefined;

  constructor(readonly raw: IncomingMessage) {}

  get headers(): IncomingMessage['headers'] {
    return this.raw.headers;
  }
}

export interface DirectRequestsDeps {
  readonly attach: (source: RequestSource, reply: ApiReply) => ApiRequest;
  readonly intake: { take(request: ApiRequest, done: () => void): void };
  readonly resources: { serve(request: ApiRequest): Promise<void> };
}

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** Larger bodies go the framework's way. */
const MOST_BODY = 64 * 1024;
/** Plain paths of resources: what has none goes the framework's way. */
const RESOURCE_PATH = /^\/api(?:\/v1|s\/[a-z0-9.-]+\/[a-z0-9]+)\/[A-Za-z0-9]/;

/** The length of the body; undefined = it is not told, or too much. */
function lengthOf({ method = '', headers }: IncomingMessage): number | undefined {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  if (encoding !== undefined) return undefined;
  if (length === undefined) return method === 'GET' || method === 'DELETE' ? 0 : undefined;
  const bytes = Number(length);
  return bytes <= MOST_BODY ? bytes : undefined;
}

/** Whether the request is one of those that need nothing of the framework. */
function isPlain(raw: IncomingMessage): boolean {
  const { method = '', url = '', headers, httpVersionMajor } = raw;
  const isWrite = WRITES.has(method);
  if (!isWrite && method !== 'GET') return false;
  const length = lengthOf(raw);
  // A GET with a body is for the framework to judge, and so is a body of HTTP/2, whose end is told by its stream alone.
  if (length === undefined || (!isWrite && length > 0)) return false;
  if (isWrite && (httpVersionMajor > 1 || (length > 0 && !headers['content-type']))) return false;
  return isResourcePath(url);
}

/** Whether this is the path, with or without a query, of a resource, and plain. */
export function isResourcePath(url: string): boolean {
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  return RESOURCE_PATH.test(path) && (!path.includes('%') || isDecodable(path));
}

/** What is escaped wrongly is for the framework to refuse. */
function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Requests for resources with small bodies, nearly all that a cluster asks, on a way of their own from the listener to
 * {@link DirectRequestsDeps.resources}: the framework's routes and hooks cost more than a read. All others go its way, and so
 * does everything once the server ends, since the framework then turns requests away.
 */
export class DirectRequests {
  private readonly framework: readonly Handler[];
  private readonly starts = new RequestStarts();
  private isEnding = false;

  constructor(
    server: Server,
    private readonly deps: DirectRequestsDeps,
  ) {
    this.framework = server.listeners('request') as Handler[];
    server.removeAllListeners('request');
    server.on('request', (raw, response) => {
      this.starts.begin(raw, () => {
        if (this.isEnding || !isPlain(raw))
          for (const handler of this.framework) handler.call(server, raw, response);
        else this.begin(raw, response);
      });
    });
  }

  /** From here on the framework answers. */
  end(): void {
    this.isEnding = true;
  }

  private begin(raw: IncomingMessage, response: ServerResponse<IncomingMessage>): void {
    const { attach, intake, resources } = this.deps;
    const source = new DirectRequest(raw);
    const request = attach(source, new DirectReply(response));
    if (raw.method === 'GET') void resources.serve(request);
    else
      intake.take(request, () => {
        readBody(raw, (body) => {
          source.body = body;
          if (!request.reply.sent) void resources.serve(request);
        });
      });
  }
}

/** Calls back with the whole body; never for a client that goes before its end. */
function readBody(raw: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  raw.on('data', (chunk: Buffer) => chunks.push(chunk));
  raw.on('end', () => {
    const [first] = chunks;
    done(chunks.length === 1 && first ? first : Buffer.concat(chunks));
  });
  raw.on('error', () => undefined);
}
