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
export { cloneJson, cloneSteps } from './clone-json.js';
export {
  controllerOf,
  keyOf,
  parseApiVersion,
  parseKeyString,
  toApiVersion,
  toKeyString,
} from './object.js';
export {
  canonicalCidrFaults,
  canonicalIpFaults,
  cidrFaults,
  cidrWarning,
  ipFaults,
  ipWarning,
  isStrictSubnet,
  parseAddress,
  parseCidr,
} from './validation/ip.js';
export type { FieldError, FieldErrorType } from './field-error.js';
export { MAX_FINDINGS } from './field-error.js';
export {
  FieldPath,
  duplicate,
  forbidden,
  goQuote,
  invalid,
  invalidOmitted,
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
  isFenced,
  isForbidden,
  isInvalid,
  isNotFound,
  isTimeout,
  isTooManyRequests,
  newAlreadyExists,
  newBadRequest,
  newConflict,
  newExpired,
  newFenced,
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
export {
  isCIdentifier,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isDns1123SubdomainWithUnderscore,
  isLabelValue,
  isPathSegmentName,
  isQualifiedName,
  isWildcardDns1123Subdomain,
  nameIsDns1035Label,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  nameIsPathSegment,
} from './validation/names.js';
export type { NameValidator } from './validation/names.js';
export { byteLength, regexError } from './validation/format-error.js';
export type { StringCheck } from './validation/format-error.js';
export {
  isCidr,
  isConfigMapKey,
  isEnvVarName,
  isHttpHeaderName,
  isInRange,
  isIpAddress,
  isIpv4Address,
  isPercent,
  isPortName,
  isPortNumber,
  isRelaxedEnvVarName,
  isUnixId,
} from './validation/values.js';
export {
  validateAnnotations,
  validateFieldManager,
  validateFinalizers,
  validateKubeFinalizers,
  validateLabels,
  validateObjectMeta,
  validateCommonUpdate,
  validateObjectMetaUpdate,
  validateOwnerReferences,
} from './validation/object-meta.js';
export type { ObjectMetaRules } from './validation/object-meta.js';
export {
  everything,
  formatLabelSelector,
  labelMapMatcher,
  labelSelectorMatcher,
  nothing,
  parseLabelSelector,
} from './selectors/label-selector.js';
export type { LabelSelectorMatcher, LabelSelectorObject } from './selectors/label-selector.js';
export { SelectorError } from './selectors/requirement.js';
export type { LabelRequirement, Labels, SelectorOperator } from './selectors/requirement.js';
export { escapeValue, parseFieldSelector } from './selectors/field-selector.js';
export type { FieldRequirement, FieldSelectorMatcher } from './selectors/field-selector.js';
export { SchemaRegistry } from './schema/schema-registry.js';
export type { SchemaLookup } from './schema/schema-registry.js';
export type { FieldProblems } from './schema/check-fields.js';
export type { PatchStrategy, Schema } from './schema/schema.js';
export { canonicalJson, deepEqual } from './equality.js';
export {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QuantityError,
  quantityFromMilli,
  quantityFromValue,
  quantityMilliValue,
  quantityValue,
  subQuantities,
  zeroQuantity,
} from './quantity.js';
export type { Quantity, QuantityFormat } from './quantity.js';
export { isFlagSet } from './query-flag.js';
export { DecodeError, MAX_VALUES } from './codec/decode-error.js';
export { setOwn } from './schema/normalize.js';
export {
  decodeJson,
  decodeListSteps,
  duplicateFieldsOf,
  goJsonError,
  byKeys,
  oddFieldsOf,
  repeatedKeysOfJson,
} from './codec/json.js';
export { jsonSyntaxProblem } from './codec/json-syntax.js';
export { parseJsonSteps } from './codec/parse-steps.js';
export { stringifySteps } from './codec/stringify-steps.js';
export type { DecodedJson, DecodeOptions, OddField } from './codec/json.js';
export { decodeYaml, encodeYaml } from './codec/yaml.js';
export type { DecodedYaml } from './codec/yaml.js';
export { goValue } from './patch/go-value.js';
export { applyJsonPatch, jsonPatchSteps } from './patch/json-patch.js';
export { unknownPatchFields } from './patch/json-patch-operations.js';
export { areReadable, problemOfEntries } from './managed-fields/managers.js';
export { applyMergePatch, mergePatchSteps, requireObjectPatch } from './patch/merge-patch.js';
export {
  applyStrategicMergePatch,
  strategicMergePatchSteps,
} from './patch/strategic-merge-patch.js';
export { PROTOBUF_MEDIA_TYPE, ProtobufCodec } from './protobuf/protobuf-codec.js';
export type { DecodedProtobuf } from './protobuf/protobuf-codec.js';
export { ProtobufError, UnknownMessageError } from './protobuf/protobuf-error.js';
export { applyConfiguration } from './managed-fields/apply-configuration.js';
export {
  applyPatch,
  applySteps,
  newApplyConflict,
  trackSteps,
  trackUpdate,
} from './managed-fields/apply-patch.js';
export type { Steps } from './steps.js';
export { finish, finishSlowly } from './steps.js';
export { typedProblems } from './managed-fields/check-typed.js';
export { emptyFields, fieldsAt } from './managed-fields/field-set.js';
export type { FieldSet } from './managed-fields/field-set.js';
export type {
  ApplyConflict,
  ApplyOptions,
  ApplyResult,
  TrackOptions,
} from './managed-fields/apply-patch.js';
export { MessageEncoder } from './protobuf/encode-message.js';
export type { Fence } from './fence.js';
export { FENCE_HEADER, formatFence, parseFence } from './fence.js';
export type { Reaction } from './reaction.js';
export { REACTION_HEADER, formatReaction, parseReaction } from './reaction.js';
