import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock, Random } from '@orrery/component';
import type { RequestContext, UserInfo } from '@orrery/registry';
import type { ApiRequest } from './api-request.js';
import { ANONYMOUS } from './authentication.js';
import { parseRequestInfo } from './request-info.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by attachRequest before the guards run. */
    api?: ApiRequest;
  }
}

const EMPTY = Buffer.alloc(0);

class Request implements ApiRequest {
  readonly info;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly warnings = new Set<string>();
  readonly context: RequestContext;
  private readonly controller = new AbortController();
  private user: UserInfo = ANONYMOUS;

  constructor(
    readonly fastify: FastifyRequest,
    readonly reply: FastifyReply,
    auditId: string,
    receivedAt: number,
  ) {
    const url = fastify.raw.url ?? '/';
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    this.method = fastify.raw.method ?? 'GET';
    this.info = parseRequestInfo(this.method, this.path, this.query);
    const { controller } = this;
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) controller.abort(new Error('the client has gone'));
    });
    const currentUser = (): UserInfo => this.user;
    this.context = {
      get user() {
        return currentUser();
      },
      userAgent: fastify.headers['user-agent'] ?? '',
      sourceIp: fastify.raw.socket.remoteAddress ?? '',
      auditId,
      receivedAt,
      signal: controller.signal,
      warn: (message) => {
        this.warnings.add(message);
      },
    };
  }

  get headers(): FastifyRequest['raw']['headers'] {
    return this.fastify.raw.headers;
  }

  get raw(): FastifyRequest['raw'] {
    return this.fastify.raw;
  }

  get body(): Buffer {
    return Buffer.isBuffer(this.fastify.body) ? this.fastify.body : EMPTY;
  }

  setUser(user: UserInfo): void {
    this.user = user;
  }

  abort(reason: Error): void {
    this.controller.abort(reason);
  }
}

/** Makes the ApiRequest of a request and sets the headers that every answer has. */
export function attachRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: { readonly clock: Clock; readonly random: Random },
): ApiRequest {
  if (request.api) return request.api;
  const given = request.headers['audit-id'];
  const auditId = typeof given === 'string' && given !== '' ? given : deps.random.uuid();
  const made = new Request(request, reply, auditId, deps.clock.now());
  request.api = made;
  void reply.header('audit-id', auditId).header('cache-control', 'no-cache, private');
  return made;
}
