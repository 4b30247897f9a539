/**
 * The vocabulary of the Kubernetes API: objects, errors, selectors, quantities, schemas, patches and codecs.
 * Everything here is pure: no I/O, no clock, no framework. Inputs are never mutated unless a function says so.
 */
export type {
  GroupVersionKind,
  GroupVersionResource,
  KubeObject,
  ListMeta,
  ManagedFieldsEntry,
  ObjectKey,
  ObjectMeta,
  OwnerReference,
} from './object.js';
export {
  controllerOf,
  keyOf,
  parseApiVersion,
  parseKeyString,
  toApiVersion,
  toKeyString,
} from './object.js';
export type { FieldError, FieldErrorType } from './field-error.js';
export {
  FieldPath,
  duplicate,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  tooLong,
  tooMany,
} from './field-error.js';
export type {
  GroupResource,
  Status,
  StatusCause,
  StatusDetails,
  StatusReason,
} from './status-error.js';
export {
  OBJECT_MODIFIED,
  StatusError,
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  isTimeout,
  isTooManyRequests,
  newAlreadyExists,
  newBadRequest,
  newConflict,
  newExpired,
  newForbidden,
  newInternalError,
  newInvalid,
  newMethodNotSupported,
  newNotFound,
  newServiceUnavailable,
  newTimeout,
  newTooManyRequests,
  newUnauthorized,
  toGroupResourceString,
} from './status-error.js';
export { parseYaml } from './yaml.js';
