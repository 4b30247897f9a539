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
import { StorageError } from '@orrery/storage';

/** 504 with the cause by which client-go recognizes a resourceVersion from the future. */
export function newTooLargeResourceVersion(asked: number | string, current: number): StatusError {
  return new StatusError(
    504,
    'Timeout',
    `Too large resource version: ${asked}, current: ${current}`,
    {
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
    },
  );
}

/** The one place where errors of the storage boundary become errors of the API (style.md 26). */
export function toStatusError(error: unknown, resource: GroupResource, name = ''): unknown {
  if (!(error instanceof StorageError)) return error;
  switch (error.code) {
    case 'exists':
      return newAlreadyExists(resource, name);
    case 'conflict':
    case 'guard':
      return newConflict(resource, name, OBJECT_MODIFIED);
    case 'compacted':
      return newExpired('The resourceVersion for the provided list is too old.');
    case 'futureRevision':
      return newTooLargeResourceVersion(error.message, error.detail.revision ?? 0);
    case 'noSpace':
      return newServiceUnavailable('etcdserver: mvcc: database space exceeded', error);
    case 'unavailable':
      return newServiceUnavailable(
        'the storage is not available at the moment; nothing was written',
        error,
      );
    case 'timeout':
    case 'unknownOutcome':
      return newTimeout(
        'the storage did not answer in time; a write may or may not have been applied',
        error,
      );
    case 'aborted':
      return newTimeout('the request did not complete within its deadline', error);
    case 'tooLarge':
      return new StatusError(413, 'RequestEntityTooLarge', 'etcdserver: request is too large', {
        cause: error,
      });
    case 'slow':
      return newExpired('too slow: the watch fell behind');
    case 'corrupt':
    case 'internal':
      return newInternalError(error.message, error);
  }
}
