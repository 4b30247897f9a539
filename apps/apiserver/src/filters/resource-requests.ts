import type { Clock, Logger } from '@orrery/component';
import type { ApiServerOptions } from '../config/options.js';
import { limited } from '../fairness/limiter.js';
import type { ServerExtensions } from '../extensions.js';
import type { RequestMetrics } from '../health/request-metrics.js';
import type { ApiHandler } from '../rest/api-handler.js';
import type { ApiRequest } from './api-request.js';
import { identify } from './authentication.guard.js';
import { checkAllowed } from './authorization.guard.js';
import type { RequestEnd, RequestForm } from '../health/request-metrics.js';
import { sentBytes, waitedMs } from '../health/request-notes.js';
import { withinTimeout } from './request-timeout.js';
import { answerError } from './status.filter.js';

export interface ResourceRequestsDeps {
  readonly options: ApiServerOptions;
  readonly extensions: Pick<
    ServerExtensions,
    'authenticator' | 'authorizer' | 'faults' | 'limiter'
  >;
  readonly handler: ApiHandler;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time limit of requests that are not long-running. */
  readonly limitMs: number;
}

/** What its labels tell. */
const formOf = ({ headers, query }: ApiRequest): RequestForm => ({
  contentType: headers['content-type'],
  query,
});

/** What a request's metrics tell besides its time. */
const about = ({ reply, context }: ApiRequest): RequestEnd => ({
  bytes: sentBytes(reply.raw),
  waitedMs: waitedMs(context),
});

/**
 * Requests for resources, nearly all that a cluster asks: the same steps in the same order as the guards, the
 * interceptor and the filter of ApiServerModule, called one after the other, since the framework's own way costs more
 * than most requests do. Everything else takes that way.
 */
export class ResourceRequests {
  constructor(private readonly deps: ResourceRequestsDeps) {}

  takes({ info }: ApiRequest): boolean {
    return info.isResource;
  }

  async serve(request: ApiRequest): Promise<void> {
    const { extensions, options, metrics, clock, handler } = this.deps;
    const { raw } = request.reply;
    const startedAt = clock.monotonic();
    // Strangers must not make up labels: only what may pass is counted by its resource.
    let end: ReturnType<RequestMetrics['begin']> | undefined;
    try {
      request.setUser(await identify(extensions.authenticator, request, options));
      const { context, info } = request;
      await limited(extensions.limiter, request, async () => {
        await checkAllowed(extensions.authorizer, context.user, info, context);
        end = metrics.begin(request.info, startedAt, formOf(request));
        await extensions.faults?.meet(request);
        await withinTimeout(request, this.deps, () => handler.handle(request));
      });
    } catch (error) {
      answerError(error, request, request.reply, this.deps.logger);
    } finally {
      if (end) end(raw.statusCode, clock.monotonic(), about(request));
      else if (raw.statusCode === 429) metrics.turnedAway(request.info, formOf(request));
    }
  }
}
