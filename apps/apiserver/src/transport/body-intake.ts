import type { Clock, Logger } from '@orrery/component';
import type { ServerExtensions } from '../extensions.js';
import type { ApiRequest } from '../filters/api-request.js';
import type { AnonymousRule } from '../filters/authentication.guard.js';
import { identify } from '../filters/authentication.guard.js';
import { checkAllowed } from '../filters/authorization.guard.js';
import { timedOut, timeoutOf } from '../filters/request-timeout.js';
import { answerError } from '../filters/status.filter.js';
import { paceChunks } from './held-sockets.js';

/** Bodies from which on it is asked who sends them, before they are read. */
const LARGE_BODY = 64 * 1024;

const METHODS = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

export interface BodyIntakeDeps {
  readonly extensions: Pick<ServerExtensions, 'authenticator' | 'authorizer'>;
  readonly anonymous: AnonymousRule;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limitMs: number;
}

/** What happens to a request between its headers and its body. */
export class BodyIntake {
  constructor(private readonly deps: BodyIntakeDeps) {}

  /** Calls `done` when the body may be read; otherwise the request has been answered. */
  take(request: ApiRequest, done: () => void): void {
    const { raw, headers } = request;
    if (raw.httpVersionMajor === 1 && headers['transfer-encoding'] !== undefined) paceChunks(raw);
    const begin = (): void => {
      if (this.limitTime(request)) done();
    };
    if (!this.asksFirst(request)) begin();
    else
      void this.admit(request).then((may) => {
        if (may) begin();
      });
  }

  /** Whether the sender must be known before the body is read: large ones are read of those alone who may send them. */
  private asksFirst({ method, headers, info }: ApiRequest): boolean {
    if (!METHODS.has(method) || !info.isResource) return false;
    const length = headers['content-length'];
    return length === undefined
      ? headers['transfer-encoding'] !== undefined
      : Number(length) > LARGE_BODY;
  }

  private async admit(request: ApiRequest): Promise<boolean> {
    const { extensions, anonymous } = this.deps;
    try {
      const user = await identify(extensions.authenticator, request, anonymous);
      try {
        await checkAllowed(extensions.authorizer, user, request.info);
      } catch (error) {
        // Audit is told who it was.
        request.setUser(user);
        throw error;
      }
      return true;
    } catch (error) {
      this.refuse(request, error);
      return false;
    }
  }

  /** Gives a body as much time as its whole request has: then 504, and the connection ends. */
  private limitTime(request: ApiRequest): boolean {
    const { raw, reply, method } = request;
    if (!METHODS.has(method) || raw.complete) return true;
    const { clock, limitMs } = this.deps;
    try {
      const cancel = clock.after(timeoutOf(request.query, limitMs), () => {
        if (!raw.complete && !reply.sent) this.refuse(request, timedOut(request.info));
      });
      raw.once('end', cancel).once('close', cancel);
      return true;
    } catch (error) {
      this.refuse(request, error);
      return false;
    }
  }

  /** What is left of the body is not waited for. */
  private refuse(request: ApiRequest, error: unknown): void {
    const { reply, raw } = request;
    if (raw.httpVersionMajor === 1) void reply.header('connection', 'close');
    reply.raw.once('finish', () => {
      raw.destroy();
    });
    answerError(error, request, reply, this.deps.logger);
  }
}
