import { Catch, Inject } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOGGER } from '@orrery/component';
import type { Logger } from '@orrery/component';
import type { ApiRequest } from './api-request.js';
import { sendStatus } from '../rest/send.js';
import type { ApiReply } from '../transport/api-reply.js';
import { toApiError } from './to-api-error.js';

/** Answers with the Status of an error, in the client's format; cuts an answer that has begun. */
export function answerError(
  error: unknown,
  request: ApiRequest | undefined,
  reply: ApiReply,
  logger: Logger,
): void {
  const failure = toApiError(error);
  // Nobody hears that a client went while something was written to it.
  const isLeft = reply.raw.destroyed && error instanceof Error && error.name === 'AbortError';
  if (failure.code >= 500 && failure.cause !== undefined && !isLeft)
    logger.error('request failed', failure.cause, { path: request?.path ?? '' });
  if (reply.sent || reply.raw.headersSent) reply.raw.destroy();
  else sendStatus(request, reply, failure.status);
}

/** The one way out for errors. */
@Catch()
export class StatusFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    answerError(error, request.api, reply, this.logger);
  }
}
