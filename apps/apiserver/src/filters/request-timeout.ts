import { StatusError, newBadRequest } from '@orrery/apimachinery';
import type { Clock } from '@orrery/component';
import { holding, parseDuration } from '@orrery/component';
import type { ApiRequest } from './api-request.js';
import type { RequestInfo } from './request-info.js';

const LONG_VERBS = new Set(['watch', 'proxy']);
const LONG_SUBRESOURCES = new Set(['attach', 'exec', 'proxy', 'log', 'portforward']);
const READS = new Set(['get', 'list', 'head']);

/** Requests that last as long as their client likes (k8s pkg/controlplane/apiserver/config.go:BasicLongRunningRequestCheck). */
export const isLongRunning = ({ verb, subresource }: RequestInfo): boolean =>
  LONG_VERBS.has(verb) || LONG_SUBRESOURCES.has(subresource);

/** The log of the cluster that a client follows (`history/event-log.ts`). */
const isFollowedLog = ({ path, query }: Pick<ApiRequest, 'path' | 'query'>): boolean =>
  path === '/history/log' && query.get('follow') === 'true';

/** `?timeout=` where it is shorter than the server's own limit (k8s apiserver pkg/endpoints/filters/request_deadline.go). */
export function timeoutOf(query: URLSearchParams, limitMs: number): number {
  const text = query.get('timeout') ?? '';
  if (text === '') return limitMs;
  const asked = parseDuration(text);
  if (asked === undefined) {
    throw newBadRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`,
    );
  }
  return asked > 0 && asked < limitMs ? asked : limitMs;
}

/** 504 in upstream's words; that of a write adds that its outcome is unknown. */
export function timedOut({ verb }: RequestInfo): StatusError {
  return new StatusError(
    504,
    'Timeout',
    'Timeout: request did not complete within requested timeout - context deadline exceeded',
    {
      details: READS.has(verb)
        ? {}
        : { causes: [{ message: 'the write may or may not have been applied' }] },
    },
  );
}

/** Does `work` within the request's time; then aborts its signal and throws 504. */
export function withinTimeout(
  request: ApiRequest,
  { clock, limitMs }: { readonly clock: Clock; readonly limitMs: number },
  work: () => Promise<void>,
): Promise<void> {
  if (isLongRunning(request.info) || isFollowedLog(request)) return work();
  const ms = timeoutOf(request.query, limitMs);
  return new Promise<void>((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      const error = timedOut(request.info);
      reject(error);
      request.abort(error);
    });
    holding(clock, work).then(resolve, reject).finally(cancel);
  });
}
