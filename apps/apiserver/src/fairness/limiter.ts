import type { ApiRequest } from '../filters/api-request.js';
import { isLongRunning } from '../filters/request-timeout.js';

/** Gives the seat back; undefined = turned away. */
export type Permission = (() => void) | undefined;

/** Decides which requests are served now, later or not at all. */
export interface Limiter {
  enter(request: ApiRequest): Permission | Promise<Permission>;
  /** Brings its metrics up to date. */
  publish(): void;
}

/** k8s apiserver pkg/server/filters/maxinflight.go:tooManyRequests. */
async function refuse({ reply }: ApiRequest): Promise<void> {
  await reply
    .code(429)
    .header('retry-after', '1')
    .header('content-type', 'text/plain; charset=utf-8')
    .header('x-content-type-options', 'nosniff')
    .send('Too many requests, please try again later.\n');
}

/**
 * Serves a request when it may be served. A watch gives its seat back as soon as it begins; other requests that last
 * as long as their client likes take none.
 */
export async function limited(
  limiter: Limiter | undefined,
  request: ApiRequest,
  serve: () => Promise<void>,
): Promise<void> {
  const { info } = request;
  const isLong = isLongRunning(info);
  if (!limiter || (isLong && info.verb !== 'watch')) return serve();
  const entered = limiter.enter(request);
  const leave = entered instanceof Promise ? await entered : entered;
  if (!leave) return refuse(request);
  if (isLong) {
    leave();
    return serve();
  }
  try {
    await serve();
  } finally {
    leave();
  }
}
