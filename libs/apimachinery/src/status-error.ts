import { MAX_FINDINGS } from './field-error.js';
import type { FieldError } from './field-error.js';

export type StatusReason =
  | ''
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'ServerTimeout'
  | 'Timeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'Expired'
  /** Ours: a write under a Lease that has passed to another; nothing was stored. */
  | 'Fenced'
  | 'ServiceUnavailable'
  | 'Unknown';

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** meta/v1 Status, as it goes over the wire. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, unknown>;
  status: 'Failure' | 'Success';
  message?: string;
  reason?: StatusReason;
  details?: StatusDetails;
  code?: number;
}

export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** `pods`, `deployments.apps`: how upstream names a resource in messages. */
export function toGroupResourceString({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

interface FailureOptions {
  readonly details?: StatusDetails;
  readonly cause?: unknown;
}

/**
 * A failed API request: the one error type of the API boundary, on the server and in the client.
 * Messages follow k8s apimachinery/pkg/api/errors/errors.go.
 */
export class StatusError extends Error {
  readonly status: Status;

  constructor(code: number, reason: StatusReason, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StatusError';
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(options.details ? { details: options.details } : {}),
      code,
    };
  }

  get code(): number {
    return this.status.code ?? 500;
  }

  get reason(): StatusReason {
    return this.status.reason ?? '';
  }

  static fromStatus(status: Status): StatusError {
    return new StatusError(
      status.code ?? 500,
      status.reason ?? '',
      status.message ?? '',
      status.details ? { details: status.details } : {},
    );
  }
}

const details = (gr: GroupResource, name?: string): StatusDetails => ({
  ...(name ? { name } : {}),
  ...(gr.group ? { group: gr.group } : {}),
  kind: gr.resource,
});

export const newNotFound = (gr: GroupResource, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${toGroupResourceString(gr)} "${name}" not found`, {
    details: details(gr, name),
  });

export const newAlreadyExists = (gr: GroupResource, name: string): StatusError =>
  new StatusError(409, 'AlreadyExists', `${toGroupResourceString(gr)} "${name}" already exists`, {
    details: details(gr, name),
  });

export const newConflict = (gr: GroupResource, name: string, why: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${toGroupResourceString(gr)} "${name}": ${why}`,
    { details: details(gr, name) },
  );

/** A write of a leader that is none any more. Not a Conflict: to try again would be wrong. */
export const newFenced = (lease: string, transitions: number): StatusError =>
  new StatusError(
    409,
    'Fenced',
    `the lease "${lease}" is no longer held as of transition ${transitions}; nothing was written`,
  );

export const OBJECT_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export const newForbidden = (gr: GroupResource, name: string, why: string): StatusError =>
  new StatusError(
    403,
    'Forbidden',
    gr.resource === ''
      ? `forbidden: ${why}`
      : name === ''
        ? `${toGroupResourceString(gr)} is forbidden: ${why}`
        : `${toGroupResourceString(gr)} "${name}" is forbidden: ${why}`,
    { details: details(gr, name) },
  );

/** Characters of all findings that are told: one of them may print a list of thousands. */
const MAX_TOLD = 4 * 1024 * 1024;

/** The first findings: as many as anybody reads. */
function toldOf(errors: readonly FieldError[]): readonly FieldError[] {
  let size = 0;
  const fitting = errors.slice(0, MAX_FINDINGS).findIndex(({ message }) => {
    size += message.length;
    return size > MAX_TOLD;
  });
  return errors.slice(0, fitting < 0 ? MAX_FINDINGS : Math.max(1, fitting));
}

/** 422 for findings of validation; `kind` is the object's kind, e.g. `Deployment`. */
export function newInvalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const qualified = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const told = toldOf(errors);
  const texts = [...new Set(told.map((e) => `${e.field}: ${e.message}`))];
  if (errors.length > told.length) texts.push('too many errors');
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new StatusError(422, 'Invalid', `${qualified} "${name}" is invalid: ${text}`, {
    details: {
      ...(name ? { name } : {}),
      ...(kind.group ? { group: kind.group } : {}),
      ...(kind.kind ? { kind: kind.kind } : {}),
      causes: told.map((e) => ({ reason: e.type, message: e.message, field: e.field })),
    },
  });
}

export const newBadRequest = (message: string, cause?: unknown): StatusError =>
  new StatusError(400, 'BadRequest', message, { cause });

export const newUnauthorized = (): StatusError =>
  new StatusError(401, 'Unauthorized', 'Unauthorized');

export const newMethodNotSupported = (gr: GroupResource, action: string): StatusError =>
  new StatusError(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind "${toGroupResourceString(gr)}"`,
    { details: details(gr) },
  );

export const newExpired = (message: string): StatusError =>
  new StatusError(410, 'Expired', message);

export const newInternalError = (message: string, cause?: unknown): StatusError =>
  new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, {
    details: { causes: [{ message }] },
    cause,
  });

export const newServiceUnavailable = (message: string, cause?: unknown): StatusError =>
  new StatusError(503, 'ServiceUnavailable', message, {
    details: { retryAfterSeconds: 1 },
    cause,
  });

/** 504: the request did not finish in time; for a write the outcome is unknown and the message must say so. */
export const newTimeout = (message: string, cause?: unknown): StatusError =>
  new StatusError(504, 'Timeout', message, { details: { retryAfterSeconds: 1 }, cause });

export const newTooManyRequests = (message: string, retryAfterSeconds: number): StatusError =>
  new StatusError(429, 'TooManyRequests', message, { details: { retryAfterSeconds } });

const hasReason = (error: unknown, ...reasons: readonly StatusReason[]): boolean =>
  error instanceof StatusError && reasons.includes(error.reason);

export const isNotFound = (error: unknown): boolean => hasReason(error, 'NotFound');
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, 'AlreadyExists');
export const isConflict = (error: unknown): boolean => hasReason(error, 'Conflict');
export const isFenced = (error: unknown): boolean => hasReason(error, 'Fenced');
export const isInvalid = (error: unknown): boolean => hasReason(error, 'Invalid');
export const isForbidden = (error: unknown): boolean => hasReason(error, 'Forbidden');
export const isExpired = (error: unknown): boolean => hasReason(error, 'Expired', 'Gone');
export const isTimeout = (error: unknown): boolean => hasReason(error, 'Timeout', 'ServerTimeout');
export const isTooManyRequests = (error: unknown): boolean => hasReason(error, 'TooManyRequests');
