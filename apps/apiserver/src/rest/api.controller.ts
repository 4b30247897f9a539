import { All, Controller, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '@orrery/component';
import { CLOCK, parseDuration } from '@orrery/component';
import { ApiServerOptions } from '../config/options.js';
import { limited } from '../fairness/limiter.js';
import { withinTimeout } from '../filters/request-timeout.js';
import { ApiHandler } from './api-handler.js';

/** Takes every request; what it means is told by its RequestInfo. */
@Controller()
export class ApiController {
  readonly limitMs: number;

  constructor(
    @Inject(ApiHandler) private readonly handler: ApiHandler,
    @Inject(ApiServerOptions) options: ApiServerOptions,
    @Inject(CLOCK) readonly clock: Clock,
  ) {
    this.limitMs = parseDuration(options.requestTimeout) ?? 60_000;
  }

  @All('*')
  async handle(@Req() { api }: FastifyRequest): Promise<void> {
    if (api)
      await limited(this.handler.limiter, api, () =>
        withinTimeout(api, this, () => this.handler.handle(api)),
      );
  }
}
