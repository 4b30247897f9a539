import type { ServerResponse } from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import type { Clock, Metrics } from '@orrery/component';
import type { RequestContext, UserInfo } from '@orrery/registry';
import { constraintOf, impersonatorOf, requestorOf } from '../authn/impersonation.js';
import { bearerToken } from '../authn/token.js';
import { peerCertificate } from '../authn/client-certificate.authenticator.js';
import { isLongRunning } from '../filters/request-timeout.js';
import type { AuditBackend } from './audit-event.js';
import { AuditedRequest } from './audited-request.js';
import type { AuditableRequest, AuditedAnswer } from './audited-request.js';
import type { AuditPolicy, Level } from './policy.js';
import { LEVELS, evaluate } from './policy.js';

/** Bytes of an answer that are kept for its event; of a larger one none is. */
const ANSWER_LIMIT = 3 * 1024 * 1024;

type Call = (...given: unknown[]) => never;

/** Shows every chunk that is written to a stream from now on. */
function watchWrites(stream: Writable, look: (chunk: unknown) => void): void {
  const write = stream.write.bind(stream) as Call;
  const end = stream.end.bind(stream) as Call;
  stream.write = (...given: unknown[]) => {
    look(given[0]);
    return write(...given);
  };
  stream.end = (...given: unknown[]) => {
    look(given[0]);
    return end(...given);
  };
}

/** Keeps what is written to a response, from now on. */
function gather(raw: ServerResponse, isWanted: (code: number) => boolean): () => Buffer {
  let chunks: Buffer[] = [];
  let size = 0;
  const keep = (chunk: unknown): void => {
    if (!isWanted(raw.statusCode)) return;
    const bytes = Buffer.isBuffer(chunk)
      ? chunk
      : typeof chunk === 'string'
        ? Buffer.from(chunk)
        : undefined;
    if (!bytes) return;
    size += bytes.length;
    chunks = size > ANSWER_LIMIT ? [] : [...chunks, bytes];
  };
  watchWrites(raw, keep);
  return () => (size > ANSWER_LIMIT ? Buffer.alloc(0) : Buffer.concat(chunks));
}

/** Calls back when the head of the response is written. */
function onHead(raw: ServerResponse, call: () => void): void {
  const writeHead = raw.writeHead.bind(raw) as (status: number) => ServerResponse;
  raw.writeHead = ((...given: [number]) => {
    const result = writeHead(...given);
    call();
    return result;
  }) as typeof raw.writeHead;
}

const textOf = (chunk: unknown): string =>
  Buffer.isBuffer(chunk)
    ? chunk.subarray(0, 16).toString('latin1')
    : typeof chunk === 'string'
      ? chunk.slice(0, 16)
      : '';

/** How a client that is not believed tried to show itself (k8s apiserver pkg/endpoints/filters/audit.go:getAuthMethods). */
function attempted({ headers, raw }: AuditableRequest): string {
  const methods = [
    ...(/^basic /i.test(headers.authorization ?? '') ? ['basic'] : []),
    ...(bearerToken(headers) === undefined ? [] : ['bearer']),
    ...(peerCertificate(raw) ? ['x509'] : []),
  ];
  return methods.length > 0
    ? `Authentication failed, attempted: ${methods.join(', ')}`
    : 'Authentication failed';
}

/** Writes down who did what, as the policy says. */
export class Audit {
  private counts:
    { readonly level: (level: Level) => void; readonly event: () => void } | undefined;

  private readonly completing = new Set<Promise<void>>();

  constructor(
    private readonly policy: AuditPolicy,
    private readonly backend: AuditBackend,
    private readonly clock: Clock,
  ) {}

  /**
   * Follows a request whose user is not known yet. What is answered must be called once the user is known, before
   * anything is decided; if it never is, the credentials were bad. `noted` hands over what was noted until then.
   */
  follow(
    request: AuditableRequest,
    raw: ServerResponse,
    noted?: (annotate: NonNullable<RequestContext['annotate']>) => void,
  ): (user: UserInfo) => AuditedRequest {
    let audited: AuditedRequest | undefined;
    raw.once('close', () => {
      if (audited) return;
      // Nobody was let in: bad credentials, or somebody who may not act as another.
      const impersonator = impersonatorOf(request.raw);
      if (impersonator) this.refused(request, raw, impersonator);
      else if (raw.statusCode === 401) {
        const unknown = this.begin(request, undefined);
        noted?.((key, value, level) => {
          unknown.annotate(key, value, level);
        });
        unknown.unauthenticated(attempted(request));
      }
    });
    return (user) => {
      audited ??= this.watchResponse(request, raw, user);
      return audited;
    };
  }

  /** A request of a known user, of which the caller tells the stages itself (upgrades). */
  begin(request: AuditableRequest, user: UserInfo | undefined): AuditedRequest {
    const requestor = user && requestorOf(user);
    const asking = requestor ?? user;
    const config = evaluate(this.policy, asking, request.info);
    const who = {
      ...(asking ? { user: asking } : {}),
      ...(requestor && user ? { impersonated: user, constraint: constraintOf(user) } : {}),
    };
    this.counts?.level(config.level);
    const { backend, clock, counts } = this;
    const counting: Pick<AuditBackend, 'write'> = {
      write: (event) => {
        counts?.event();
        backend.write(event);
      },
    };
    return new AuditedRequest(request, config, who, { backend: counting, clock });
  }

  /** Follows an upgrade by what is written to its socket; answers the request, with annotations that are kept. */
  followUpgrade<T extends AuditableRequest>(request: T, socket: Duplex): T {
    const audited = this.begin(request, request.context.user);
    audited.received();
    let code = 0;
    const look = (chunk: unknown): void => {
      const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(textOf(chunk)) ?? [];
      if (code !== 0 || !status) return;
      code = Number(status);
      if (code === 101) audited.responseStarted(code);
    };
    watchWrites(socket, look);
    socket.once('close', () => {
      this.complete(audited, { code: code || 500, bytes: Buffer.alloc(0) });
    });
    const annotate: RequestContext['annotate'] = (key, value, level) => {
      audited.annotate(key, value, level);
    };
    return { ...request, context: { ...request.context, annotate } };
  }

  /** Counts events and levels by upstream's names (k8s apiserver pkg/audit/metrics.go). */
  measure(metrics: Metrics): void {
    const levels = metrics.tally({
      name: 'apiserver_audit_level_total',
      help: 'Requests by the level at which they are audited.',
    });
    const events = metrics.tally({
      name: 'apiserver_audit_event_total',
      help: 'Events of audit that were written.',
    });
    const of = new Map<Level, () => void>(
      LEVELS.map((level) => [level, levels.of({ level })] as const),
    );
    this.counts = { level: (level) => of.get(level)?.(), event: events.of({}) };
  }

  async close(): Promise<void> {
    await Promise.all(this.completing);
    await this.backend.close();
  }

  /** Writes the last event of a request, which {@link close} waits for. */
  private complete(audited: AuditedRequest, answer: AuditedAnswer): void {
    const completing = audited.complete(answer);
    if (!completing) return;
    const done = completing.finally(() => {
      this.completing.delete(done);
    });
    this.completing.add(done);
  }

  private refused(request: AuditableRequest, raw: ServerResponse, user: UserInfo): void {
    const audited = this.begin(request, user);
    audited.received();
    this.complete(audited, { code: raw.statusCode, bytes: Buffer.alloc(0) });
  }

  private watchResponse(
    request: AuditableRequest,
    raw: ServerResponse,
    user: UserInfo,
  ): AuditedRequest {
    const audited = this.begin(request, user);
    audited.received();
    const isLong = isLongRunning(request.info);
    const bytes = isLong
      ? (): Buffer => Buffer.alloc(0)
      : gather(raw, (code) => audited.wantsAnswer(code));
    if (isLong)
      onHead(raw, () => {
        audited.responseStarted(raw.statusCode);
      });
    raw.once('close', () => {
      this.complete(audited, {
        code: raw.statusCode,
        contentType: String(raw.getHeader('content-type') ?? ''),
        encoding: String(raw.getHeader('content-encoding') ?? ''),
        bytes: bytes(),
      });
    });
    return audited;
  }
}
