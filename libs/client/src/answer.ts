import type { Status } from '@orrery/apimachinery';
import { StatusError } from '@orrery/apimachinery';
import type { HttpAnswer } from './transport.js';

const isStatus = (value: unknown): value is Status =>
  typeof value === 'object' && value !== null && (value as Status).kind === 'Status';

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const REASONS: Readonly<Record<number, 'Unauthorized' | 'Forbidden' | 'NotFound' | 'Conflict'>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
};

/** The StatusError that an answer outside 2xx says, also when a proxy in between wrote it as plain text. */
export function toStatusError({ code, body }: Pick<HttpAnswer, 'code' | 'body'>): StatusError {
  const value = parse(body);
  if (isStatus(value)) return StatusError.fromStatus({ ...value, code: value.code ?? code });
  const text = body.trim().slice(0, 500);
  return new StatusError(
    code,
    REASONS[code] ?? (code === 503 ? 'ServiceUnavailable' : 'Unknown'),
    text === '' ? `the server answered ${code} without a message` : text,
  );
}

/** The object of a 2xx answer. */
export function decodeAnswer<T>(answer: HttpAnswer): T {
  if (answer.code < 200 || answer.code > 299) throw toStatusError(answer);
  const value = parse(answer.body);
  if (typeof value !== 'object' || value === null)
    throw new StatusError(
      answer.code,
      'Unknown',
      'the server answered with something else than JSON',
    );
  return value as T;
}
