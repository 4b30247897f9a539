import { All, Controller, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiHandler } from './api-handler.js';

/** Takes every request; what it means is told by its RequestInfo. */
@Controller()
export class ApiController {
  constructor(@Inject(ApiHandler) private readonly handler: ApiHandler) {}

  @All('*')
  async handle(@Req() request: FastifyRequest): Promise<void> {
    if (request.api) await this.handler.handle(request.api);
  }
}
