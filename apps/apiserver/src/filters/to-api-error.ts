import { HttpException } from '@nestjs/common';
import { StatusError, newInternalError } from '@orrery/apimachinery';

/** Anything thrown as the error that a client gets. */
export function toApiError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  const code =
    error instanceof HttpException
      ? error.getStatus()
      : (error as { statusCode?: unknown } | null)?.statusCode;
  if (code === 413)
    return new StatusError(
      413,
      'RequestEntityTooLarge',
      'Request entity too large: limit is 3145728',
      { cause: error },
    );
  if (typeof code === 'number' && code >= 400 && code < 500) {
    const text = error instanceof Error ? error.message : 'bad request';
    return new StatusError(code, 'BadRequest', text, { cause: error });
  }
  return newInternalError(error instanceof Error ? error.message : String(error), error);
}
