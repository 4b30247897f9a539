import type { ServerResponse } from 'node:http';
import type { Clock, Random } from '@orrery/component';
import type { RequestContext, RequestOrigin, SentAbout, UserInfo } from '@orrery/registry';
import type { Audit } from '../audit/audit.js';
import type { ApiReply } from '../transport/api-reply.js';
import type { RequestSource } from '../transport/direct-requests.js';
import type { ApiRequest } from './api-request.js';
import { ANONYMOUS } from './authentication.js';
import { parseRequestInfo } from './request-info.js';
import type { RequestInfo } from './request-info.js';
import { originOf } from './request-origin.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by attachRequest before the guards run. */
    api?: ApiRequest;
  }
}

const EMPTY = Buffer.alloc(0);

type Annotate = NonNullable<RequestContext['annotate']>;

/** The part of a request that the registry sees; its signal is made when somebody wants it. */
class Context implements RequestContext {
  user: UserInfo = ANONYMOUS;
  sentAbout: SentAbout | undefined;
  readonly userAgent: string;
  readonly sourceIp: string;
  readonly warnings = new Set<string>();
  /** Set while the request is audited. */
  private annotator: Annotate | undefined;
  /** What was noted before it was known who asks, by whom it is decided whether the request is audited. */
  private early: Parameters<Annotate>[] | undefined;
  private isIdentified = false;
  private from: RequestOrigin | undefined;
  private controller: AbortController | undefined;
  private ended: Error | undefined;

  constructor(
    private readonly request: RequestSource,
    private readonly asked: { readonly info: RequestInfo; readonly query: URLSearchParams },
    private readonly response: ServerResponse,
    readonly auditId: string,
    readonly receivedAt: number,
  ) {
    this.userAgent = request.headers['user-agent'] ?? '';
    this.sourceIp = request.raw.socket.remoteAddress ?? '';
  }

  get origin(): RequestOrigin {
    return (this.from ??= originOf(this, { ...this.asked, headers: this.request.headers }));
  }

  get signal(): AbortSignal {
    return (this.controller ??= this.follow()).signal;
  }

  warn(message: string): void {
    this.warnings.add(message);
  }

  annotate(key: string, value: string, level?: 'Metadata' | 'Request'): void {
    if (this.isIdentified) this.annotator?.(key, value, level);
    else (this.early ??= []).push(level === undefined ? [key, value] : [key, value, level]);
  }

  /** Notes what was noted so far, and whatever follows, where the request is audited. */
  annotateWith(annotator: Annotate | undefined): void {
    this.annotator = annotator;
    this.isIdentified = true;
    if (annotator) for (const one of this.early ?? []) annotator(...one);
    this.early = undefined;
  }

  abort(reason: Error): void {
    this.ended ??= reason;
    this.controller?.abort(reason);
  }

  /** Aborts when the client goes before it has its answer. */
  private follow(): AbortController {
    const { response } = this;
    const controller = new AbortController();
    const gone = (): void => {
      if (!response.writableFinished) controller.abort(new Error('the client has gone'));
    };
    if (this.ended) controller.abort(this.ended);
    else if (response.destroyed) gone();
    else response.once('close', gone);
    return controller;
  }
}

class Request implements ApiRequest {
  readonly info;
  readonly method: string;
  readonly path: string;
  readonly basePath = '';
  readonly query: URLSearchParams;
  readonly context: Context;

  constructor(
    private readonly source: RequestSource,
    readonly reply: ApiReply,
    auditId: string,
    receivedAt: number,
  ) {
    const url = source.raw.url ?? '/';
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    this.method = source.raw.method ?? 'GET';
    this.info = parseRequestInfo(this.method, this.path, this.query);
    this.context = new Context(source, this, reply.raw, auditId, receivedAt);
  }

  get warnings(): ReadonlySet<string> {
    return this.context.warnings;
  }

  get headers(): ApiRequest['headers'] {
    return this.source.raw.headers;
  }

  get raw(): ApiRequest['raw'] {
    return this.source.raw;
  }

  get body(): Buffer {
    return Buffer.isBuffer(this.source.body) ? this.source.body : EMPTY;
  }

  /** Set when requests are audited. */
  audit: ReturnType<Audit['follow']> | undefined;

  setSentAbout(sentAbout: SentAbout): void {
    this.context.sentAbout = sentAbout;
  }

  setUser(user: UserInfo): void {
    this.context.user = user;
    const audited = this.audit?.(user);
    this.context.annotateWith(
      audited &&
        ((key, value, level) => {
          audited.annotate(key, value, level);
        }),
    );
  }

  abort(reason: Error): void {
    this.context.abort(reason);
  }
}

/** Makes the ApiRequest of a request and sets the headers that every answer has. */
export function attachRequest(
  request: RequestSource & { api?: ApiRequest },
  reply: ApiReply,
  deps: { readonly clock: Clock; readonly random: Random; readonly audit?: Audit },
): ApiRequest {
  if (request.api) return request.api;
  const given = request.headers['audit-id'];
  const auditId = typeof given === 'string' && given !== '' ? given : deps.random.uuid();
  const made = new Request(request, reply, auditId, deps.clock.now());
  request.api = made;
  made.audit = deps.audit?.follow(made, reply.raw, (annotate) => {
    made.context.annotateWith(annotate);
  });
  void reply.header('audit-id', auditId).header('cache-control', 'no-cache, private');
  return made;
}
