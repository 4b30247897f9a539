import { Inject, Injectable } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '@orrery/component';
import { CLOCK } from '@orrery/component';
import { RequestMetrics } from '../health/request-metrics.js';

/** Counts and times every request that has passed the guards. */
@Injectable()
export class MetricsInterceptor implements NestInterceptor {
  constructor(
    @Inject(RequestMetrics) private readonly metrics: RequestMetrics,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): ReturnType<CallHandler['handle']> {
    const http = context.switchToHttp();
    const { api } = http.getRequest<FastifyRequest>();
    const { raw } = http.getResponse<FastifyReply>();
    if (api) {
      const end = this.metrics.begin(api.info, this.clock.monotonic());
      raw.once('close', () => {
        end(raw.statusCode, this.clock.monotonic());
      });
    }
    return next.handle();
  }
}
