import { goTypeName } from './schema.js';
import type { Schema } from './schema.js';

/**
 * Fields that are written as null when they are not set: pointers, bytes and lists without omitempty, and Times, which
 * omitempty does not leave out, by type (k8s.io/api 0.36 types.go of each group). The schema tells of the others.
 */
const WRITTEN_AS_NULL = `
AllocatedDeviceStatus: conditions
AzureFilePersistentVolumeSource: secretNamespace
CSINodeDriver: topologyKeys
CapacityRequestPolicy: default
CertificateSigningRequestCondition: lastTransitionTime lastUpdateTime
CertificateSigningRequestSpec: request
ClusterRole: rules
ContainerImage: names
ContainerStateRunning: startedAt
ContainerStateTerminated: finishedAt startedAt
DaemonSetCondition: lastTransitionTime
DeploymentCondition: lastTransitionTime lastUpdateTime
DeviceClaim: requests
EndpointSlice: endpoints ports
Event: deprecatedFirstTimestamp deprecatedLastTimestamp eventTime firstTimestamp lastTimestamp
EventSeries: lastObservedTime
FlowSchemaCondition: lastTransitionTime
GRPCAction: service
HTTPIngressPath: pathType
HorizontalPodAutoscalerCondition: lastTransitionTime
HorizontalPodAutoscalerStatus: currentMetrics
IngressClassParametersReference: scope
JobCondition: lastProbeTime lastTransitionTime
LimitedPriorityLevelConfiguration: nominalConcurrencyShares
MutatingWebhook: sideEffects
NamespaceCondition: lastTransitionTime
NodeCondition: lastHeartbeatTime lastTransitionTime
PersistentVolumeClaimCondition: lastProbeTime lastTransitionTime
PodCertificateRequestSpec: pkixPublicKey proofOfPossession stubPKCS10Request
PodCondition: lastProbeTime lastTransitionTime
PreferAvoidPodsEntry: evictionTime
PriorityLevelConfigurationCondition: lastTransitionTime
ProjectedVolumeSource: sources
RangeAllocation: data
ReplicaSetCondition: lastTransitionTime
ReplicationControllerCondition: lastTransitionTime
ResourcePolicyRule: namespaces
Role: rules
StatefulSetCondition: lastTransitionTime
TokenRequestSpec: audiences boundObjectRef expirationSeconds
TokenRequestStatus: expirationTimestamp
TypedLocalObjectReference: apiGroup
TypedObjectReference: apiGroup
ValidatingWebhook: sideEffects
VolumeError: time
`;

/** Required or with an empty default, and left out when empty all the same (omitempty). */
const LEFT_OUT = `
AzureDiskVolumeSource: readOnly
CapacityRequestPolicyRange: min
ConfigMapEnvSource: name
ConfigMapKeySelector: name
ConfigMapProjection: name
ConfigMapVolumeSource: name
ContainerRestartRule: action
ContainerRestartRuleOnExitCodes: operator
CounterSet: counters
DeviceCounterConsumption: counters
FileKeySelector: optional
IPAddressSpec: parentRef
ImageVolumeStatus: imageRef
LeaseCandidateSpec: strategy
LocalObjectReference: name
ParentReference: name resource
PodCertificateProjection: keyType signerName
ReplicationControllerSpec: minReadySeconds
ScaleSpec: replicas
SecretEnvSource: name
SecretKeySelector: name
SecretProjection: name
TokenReviewSpec: token
ValidatingAdmissionPolicyBindingSpec: policyName validationActions
`;

const byType = (text: string): ReadonlyMap<string, readonly string[]> =>
  new Map(
    text
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.split(' ').slice(1)] as const),
  );

const writtenAsNull = byType(WRITTEN_AS_NULL);
const leftOut = byType(LEFT_OUT);

const ZEROS = new Map<string | undefined, unknown>([
  ['string', ''],
  ['integer', 0],
  ['number', 0],
  ['boolean', false],
]);

const REFERENCED = new Map<string, unknown>([
  ['Time', null],
  ['MicroTime', null],
  ['Quantity', '0'],
  ['IntOrString', 0],
  ['Duration', '0s'],
  ['RawExtension', null],
  ['FieldsV1', null],
  ['JSON', null],
]);

/** Go's zero of a type as JSON; `{}` stands for a struct with nothing set. */
export function zeroOf(schema: Schema): unknown {
  if (schema.$ref !== undefined) {
    const type = goTypeName(schema.$ref);
    return REFERENCED.has(type) ? REFERENCED.get(type) : {};
  }
  if (schema.properties) return {};
  return ZEROS.get(schema.type) ?? null;
}

/** True of a field that has omitempty though it is required or has a default. */
export const isLeftOut = (type: string, key: string): boolean =>
  leftOut.get(type)?.includes(key) ?? false;

export interface FieldOfStruct {
  /** The Go type's name. */
  readonly type: string;
  readonly key: string;
  readonly isRequired: boolean;
}

const isStruct = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** What Go writes of a field that nobody set; undefined where it leaves it out, or where a default takes its place. */
export function writtenZero(field: Schema, { type, key, isRequired }: FieldOfStruct): unknown {
  if (writtenAsNull.get(type)?.includes(key)) return null;
  if (type === 'ResourceFieldSelector' && key === 'divisor') return '0';
  if (isLeftOut(type, key)) return undefined;
  const zero = zeroOf(field);
  // An empty default is how the generator of the schemas tells a struct from a pointer to one.
  if (isStruct(field.default)) return zero;
  if (field.default !== undefined) return field.default === zero ? zero : undefined;
  if (!isRequired) return undefined;
  return isStruct(zero) ? null : zero;
}
