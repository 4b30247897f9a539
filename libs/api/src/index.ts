/**
 * The kinds of the Kubernetes API. Types and resource references are light and may be imported anywhere;
 * descriptors (kinds.ts) carry the server's hooks and are for the API server alone.
 */
// For everybody: types and where each resource is served.
export type * from './types.js';
export { scaledValue } from './meta/fields.js';
export type { ResourceRef } from './resource-ref.js';
export { ref } from './resource-ref.js';
export * as resources from './gen/resources.js';
// For the API server's machinery.
export type {
  KindContext,
  KindDescriptor,
  RequestKind,
  ScaleAccess,
  StorageConversion,
  Strategy,
  TableCell,
  TableColumn,
  TableColumns,
} from './kind.js';
export { defineKind } from './kind.js';
export { removedKinds } from './removed/removed-kinds.js';
export { allGroupVersions } from './removed/removed-group-versions.js';
export { evictionV1beta1, removedRequestKinds } from './removed/removed-request-kinds.js';
export type { RemovedRequestKind } from './removed/removed-request-kinds.js';
export { findKind, groupVersions, kinds, optionalGroupVersions, requestKinds } from './kinds.js';
export {
  AUTO_UPDATE_ANNOTATION,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from './flowcontrol/v1/bootstrap/bootstrap-objects.js';
export { caBundleProblem } from './apiextensions/v1/customresourcedefinition/ca-bundle.js';
export { schemasOfDefinition } from './apiextensions/v1/customresourcedefinition/version.validation.js';
export { protobufDescriptor, schemaDefinitions, schemaRegistry } from './assets.js';
export { DeviceSelectorProgram } from './resource/v1/device/device-selector.js';
export { domainPrefixedPath } from './meta/names.js';
export { isExtendedResource } from './meta/resource-names.js';
export { isEmptySelector, selectorMatches } from './meta/label-selector.js';
export { ageOf } from './table/human-duration.js';
export { scaleColumns } from './table/scale-columns.js';
export type { Amounts, ResourceField } from './core/v1/pod/pod-resources.js';
export { addAmounts, containerAmounts, podAmounts } from './core/v1/pod/pod-resources.js';
export { qosClassOf as podQosClass } from './core/v1/pod/pod-qos.js';
