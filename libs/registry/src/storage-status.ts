import {
  OBJECT_MODIFIED,
  StatusError,
  newAlreadyExists,
  newConflict,
  newExpired,
  newInternalError,
  newServiceUnavailable,
  newTimeout,
} from '@orrery/apimachinery';
import type { GroupResource } from '@orrery/apimachinery';
import { StorageError, isOutcomeUnknown } from '@orrery/storage';
import type { StorageErrorCode } from '@orrery/storage';

/** 504 with the cause by which client-go recognizes a resourceVersion from the future. */
export function newTooLargeResourceVersion(asked: number | string, current: number): StatusError {
  return new StatusError(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${asked}, current: ${current}`,
    {
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
    },
  );
}

/** The revision that a request wanted, as the storage's text names it. */
const askedRevision = (error: StorageError): string =>
  /revision (\d+)/.exec(error.message)?.[1] ?? '';

const OUTCOME_UNKNOWN =
  'etcd did not answer the write, whose outcome is unknown: it may or may not have been applied; read the object before you repeat it';

type Conversion = (error: StorageError, resource: GroupResource, name: string) => StatusError;

/** No Retry-After: client-go would repeat the write by itself (k8s client-go rest/with_retry.go:IsNextRetry). */
const outcomeUnknown: Conversion = (cause) =>
  new StatusError(504, 'Timeout', `Timeout: ${OUTCOME_UNKNOWN}`, {
    details: { causes: [{ reason: 'OutcomeUnknown', message: OUTCOME_UNKNOWN }] },
    cause,
  });
const timeout: Conversion = (error, resource, name) =>
  isOutcomeUnknown(error)
    ? outcomeUnknown(error, resource, name)
    : newTimeout('Timeout: etcd did not answer in time; nothing was written', error);
const modified: Conversion = (_error, resource, name) =>
  newConflict(resource, name, OBJECT_MODIFIED);
const internal: Conversion = (error) => newInternalError(error.message, error);

const CONVERSIONS: Readonly<Record<StorageErrorCode, Conversion>> = {
  exists: (_error, resource, name) => newAlreadyExists(resource, name),
  conflict: modified,
  guard: modified,
  compacted: () => newExpired('The resourceVersion for the provided list is too old.'),
  gone: (error) => newExpired(error.message),
  futureRevision: (error) =>
    newTooLargeResourceVersion(askedRevision(error), error.detail.revision ?? 0),
  noSpace: internal,
  unavailable: (error) =>
    newServiceUnavailable(`etcd is not available; nothing was written: ${error.message}`, error),
  timeout,
  unknownOutcome: outcomeUnknown,
  aborted: (error) => newTimeout('the request did not complete within its deadline', error),
  tooLarge: (error) =>
    new StatusError(413, 'RequestEntityTooLarge', 'etcdserver: request is too large', {
      cause: error,
    }),
  slow: () => newExpired('too slow: the watch fell behind'),
  corrupt: internal,
  internal,
};

/** The one place where errors of the storage boundary become errors of the API (style.md 26). */
export function toStatusError(error: unknown, resource: GroupResource, name = ''): unknown {
  return error instanceof StorageError ? CONVERSIONS[error.code](error, resource, name) : error;
}
