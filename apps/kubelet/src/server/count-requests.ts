import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '@orrery/component';
import type { KubeletMetrics } from '../metrics/kubelet-metrics.js';

export interface CountedServer {
  readonly metrics: Pick<KubeletMetrics, 'requests'>;
  readonly clock: Clock;
}

/** A request came; the result is to be called when it has been served. */
export function beginRequest(
  { metrics, clock }: CountedServer,
  { method = '', url = '' }: { readonly method?: string; readonly url?: string },
): () => void {
  const startedMs = clock.monotonic();
  const end = metrics.requests.begin(method, url);
  return () => {
    end((clock.monotonic() - startedMs) / 1000);
  };
}

/** Counts each request of the server but those that become streams; to be called before it starts. */
export function countRequests(nest: NestFastifyApplication, server: CountedServer): void {
  const ends = new WeakMap<FastifyRequest, () => void>();
  const instance = nest.getHttpAdapter().getInstance();
  instance.addHook('onRequest', (request: FastifyRequest, _: FastifyReply, done: () => void) => {
    ends.set(request, beginRequest(server, request.raw));
    done();
  });
  instance.addHook('onResponse', (request: FastifyRequest, _: FastifyReply, done: () => void) => {
    ends.get(request)?.();
    done();
  });
}
