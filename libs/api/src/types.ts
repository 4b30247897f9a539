export type * from './gen/types/core.v1.js';
export type * from './gen/types/apps.v1.js';
export type * from './gen/types/autoscaling.v2.js';
export type { Scale } from './gen/types/autoscaling.v1.js';
export type * from './gen/types/batch.v1.js';
export type * from './gen/types/coordination.v1.js';
export type {
  Endpoint,
  EndpointConditions,
  EndpointHints,
  EndpointPort as EndpointSlicePort,
  EndpointSlice,
  EndpointSliceList,
} from './gen/types/discovery.v1.js';
export type * from './gen/types/policy.v1.js';
export type * from './gen/types/rbac.v1.js';
export type * from './gen/types/authorization.v1.js';
export type {
  SelfSubjectReview,
  TokenRequest,
  TokenRequestSpec,
  TokenRequestStatus,
  TokenReview,
  TokenReviewStatus,
  UserInfo,
} from './gen/types/authentication.v1.js';
export type * from './gen/types/networking.v1.js';
export type * from './gen/types/scheduling.v1.js';
export type * from './gen/types/storage.v1.js';
export type { RuntimeClass } from './gen/types/node.v1.js';
export type * from './gen/types/certificates.v1.js';
export type * from './gen/types/apiextensions.v1.js';
export type {
  APIService,
  APIServiceCondition,
  APIServiceReference,
  APIServiceSpec,
} from './apiregistration/v1/apiservice/apiservice.types.js';
export type {
  ExpressionWarning,
  MatchCondition,
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  Mutation,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
  Validation,
  Variable,
} from './gen/types/admissionregistration.v1.js';
export type {
  LabelSelector,
  LabelSelectorRequirement,
  Condition,
  DeleteOptions,
} from './gen/types/meta.v1.js';
export type {
  FlowSchema,
  FlowSchemaSpec,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from './gen/types/flowcontrol.v1.js';
export type {
  AllocationResult,
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  CapacityRequirements,
  Device,
  DeviceAllocationConfiguration,
  DeviceAttribute,
  DeviceCapacity,
  DeviceClass,
  DeviceConstraint,
  DeviceRequest,
  DeviceRequestAllocationResult,
  DeviceSelector,
  DeviceTaint,
  DeviceToleration,
  ResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimSpec,
  ResourceClaimTemplate,
  ResourceSlice,
} from './gen/types/resource.v1.js';
