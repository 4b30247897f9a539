import { Catch, Inject } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOGGER } from '@orrery/component';
import type { Logger } from '@orrery/component';
import { sendStatus } from '../rest/send.js';
import { toApiError } from './to-api-error.js';

/** The one way out for errors: a Status in the client's format. */
@Catch()
export class StatusFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const failure = toApiError(error);
    if (failure.code >= 500 && failure.cause !== undefined)
      this.logger.error('request failed', failure.cause, { path: request.raw.url ?? '' });
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    sendStatus(request.api, reply, failure.status);
  }
}
