/**
 * Optional scalars that are pointers in Go, by type: there zero means "set to zero" and is written, while plain fields of
 * zero are left out of JSON (omitempty), and told by protobuf whether set or not (k8s.io/api 0.36 types.go of each group).
 */
const POINTERS = `
AdmissionRequest: dryRun
AdmissionResponse: patchType
AllocatedDeviceStatus: shareID
AppArmorProfile: localhostProfile
AzureDiskVolumeSource: cachingMode fsType kind readOnly
AzureFilePersistentVolumeSource: secretNamespace
BasicDevice: allNodes allowMultipleAllocations bindsToNode nodeName
CSIDriverSpec: attachRequired fsGroupPolicy nodeAllocatableUpdatePeriodSeconds podInfoOnMount
  preventPodSchedulingIfMissing requiresRepublish seLinuxMount serviceAccountTokenInSecrets storageCapacity
CSIVolumeSource: fsType readOnly
CertificateSigningRequestSpec: expirationSeconds signerName
ClientIPConfig: timeoutSeconds
ClusterTrustBundleProjection: name optional signerName
ConfigMap: immutable
ConfigMapEnvSource: optional
ConfigMapKeySelector: optional
ConfigMapProjection: optional
ConfigMapVolumeSource: defaultMode optional
Container: restartPolicy
ContainerResourceMetricSource: targetAverageUtilization
ContainerResourceMetricStatus: currentAverageUtilization
ContainerStatus: started stopSignal
CronJobSpec: failedJobsHistoryLimit startingDeadlineSeconds successfulJobsHistoryLimit suspend timeZone
CustomResourceDefinitionVersion: deprecationWarning
CustomResourceSubresourceScale: labelSelectorPath
DaemonSetSpec: revisionHistoryLimit
DaemonSetStatus: collisionCount
DeleteOptions: gracePeriodSeconds ignoreStoreReadErrorWithClusterBreakingPotential orphanDependents
  propagationPolicy
DeploymentSpec: progressDeadlineSeconds replicas revisionHistoryLimit
DeploymentStatus: collisionCount terminatingReplicas
Device: allNodes allowMultipleAllocations bindsToNode nodeName
DeviceAttribute: bool int string version
DeviceClassSpec: extendedResourceName
DeviceConstraint: distinctAttribute matchAttribute
DeviceRequest: adminAccess
DeviceRequestAllocationResult: adminAccess shareID
DeviceTaintSelector: device driver pool
DeviceToleration: tolerationSeconds
DownwardAPIVolumeFile: mode
DownwardAPIVolumeSource: defaultMode
Endpoint: hostname nodeName zone
EndpointAddress: nodeName
EndpointConditions: ready serving terminating
EndpointPort: appProtocol name port protocol
EphemeralContainerCommon: restartPolicy
ExactDeviceRequest: adminAccess
ExemptPriorityLevelConfiguration: lendablePercent nominalConcurrencyShares
FCVolumeSource: lun
FileKeySelector: optional
GRPCAction: service
GlusterfsPersistentVolumeSource: endpointsNamespace
HPAScalingRules: selectPolicy stabilizationWindowSeconds
HTTPIngressPath: pathType
HorizontalPodAutoscalerSpec: minReplicas targetCPUUtilizationPercentage
HorizontalPodAutoscalerStatus: currentCPUUtilizationPercentage observedGeneration
HostPathVolumeSource: type
ISCSIPersistentVolumeSource: initiatorName
ISCSIVolumeSource: initiatorName
IngressClassParametersReference: apiGroup namespace scope
IngressPortStatus: error
IngressSpec: ingressClassName
JSONSchemaProps: $ref maxItems maxLength maxProperties maximum minItems minLength minProperties minimum
  multipleOf x-kubernetes-list-type x-kubernetes-map-type x-kubernetes-preserve-unknown-fields
JobSpec: activeDeadlineSeconds backoffLimit backoffLimitPerIndex completionMode completions managedBy
  manualSelector maxFailedIndexes parallelism podReplacementPolicy suspend ttlSecondsAfterFinished
JobStatus: failedIndexes ready terminating
KeyToPath: mode
LeaseSpec: holderIdentity leaseDurationSeconds leaseTransitions preferredHolder strategy
Lifecycle: stopSignal
LimitedPriorityLevelConfiguration: borrowingLimitPercent lendablePercent nominalConcurrencyShares
ListMeta: remainingItemCount
ListOptions: sendInitialEvents timeoutSeconds
LoadBalancerIngress: ipMode
LocalVolumeSource: fsType
MatchResources: matchPolicy
MetricTarget: averageUtilization
MetricValueStatus: averageUtilization
MutatingAdmissionPolicySpec: failurePolicy
MutatingWebhook: failurePolicy matchPolicy reinvocationPolicy sideEffects timeoutSeconds
NamedRuleWithOperations: scope
NetworkPolicyPort: endPort protocol
NodeAllocatableResourceMapping: capacityKey
NodeFeatures: supplementalGroupsPolicy
NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts userNamespaces
NodeSwapStatus: capacity
ObjectMeta: deletionGracePeriodSeconds
OwnerReference: blockOwnerDeletion controller
ParamRef: parameterNotFoundAction
PatchOptions: force
PersistentVolumeClaimSpec: storageClassName volumeAttributesClassName volumeMode
PersistentVolumeClaimStatus: currentVolumeAttributesClassName
PersistentVolumeSpec: volumeAttributesClassName volumeMode
PodCertificateProjection: maxExpirationSeconds
PodCertificateRequestSpec: maxExpirationSeconds
PodDNSConfigOption: value
PodDisruptionBudgetSpec: unhealthyPodEvictionPolicy
PodFailurePolicyOnExitCodesRequirement: containerName
PodLogOptions: limitBytes sinceSeconds stream tailLines
PodResourceClaim: resourceClaimName resourceClaimTemplateName
PodResourceClaimStatus: resourceClaimName
PodSchedulingGroup: podGroupName
PodSecurityContext: fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser seLinuxChangePolicy
  supplementalGroupsPolicy
PodSpec: activeDeadlineSeconds automountServiceAccountToken enableServiceLinks hostUsers hostnameOverride
  preemptionPolicy priority runtimeClassName setHostnameAsFQDN shareProcessNamespace
  terminationGracePeriodSeconds
PortStatus: error
Preconditions: resourceVersion uid
PriorityClass: preemptionPolicy
Probe: terminationGracePeriodSeconds
ProjectedVolumeSource: defaultMode
ReplicaSetSpec: replicas
ReplicaSetStatus: terminatingReplicas
ReplicationControllerSpec: replicas
ResourceHealth: message
ResourceMetricSource: targetAverageUtilization
ResourceMetricStatus: currentAverageUtilization
ResourceSliceSpec: allNodes nodeName perDeviceNodeSelection
RollingUpdateStatefulSetStrategy: partition
Rule: scope
RuleWithOperations: scope
SeccompProfile: localhostProfile
Secret: immutable
SecretEnvSource: optional
SecretKeySelector: optional
SecretProjection: optional
SecretVolumeSource: defaultMode optional
SecurityContext: allowPrivilegeEscalation privileged procMount readOnlyRootFilesystem runAsGroup runAsNonRoot
  runAsUser
ServiceAccount: automountServiceAccountToken
ServiceAccountTokenProjection: expirationSeconds
ServicePort: appProtocol
ServiceReference: path port
ServiceSpec: allocateLoadBalancerNodePorts internalTrafficPolicy ipFamilyPolicy loadBalancerClass
  trafficDistribution
StatefulSetSpec: replicas revisionHistoryLimit
StatefulSetStatus: collisionCount observedGeneration
StorageClass: allowVolumeExpansion reclaimPolicy volumeBindingMode
SuccessPolicyRule: succeededCount succeededIndexes
TokenRequest: expirationSeconds
TokenRequestSpec: expirationSeconds
Toleration: tolerationSeconds
TopologySpreadConstraint: minDomains nodeAffinityPolicy nodeTaintsPolicy
TypedLocalObjectReference: apiGroup
TypedObjectReference: apiGroup namespace
ValidatingAdmissionPolicySpec: failurePolicy
ValidatingWebhook: failurePolicy matchPolicy sideEffects timeoutSeconds
Validation: reason
ValidationRule: optionalOldSelf reason
VolumeAttachmentSource: persistentVolumeName
VolumeError: errorCode
VolumeMount: mountPropagation recursiveReadOnly
VolumeMountStatus: recursiveReadOnly
VolumeNodeResources: count
WebhookClientConfig: url
WindowsSecurityContextOptions: gmsaCredentialSpec gmsaCredentialSpecName hostProcess runAsUserName
`;

/** Fields of types of the same name that differ between groups or versions: plain in these. */
const PLAIN = new Set([
  'core.v1.EndpointPort.name',
  'core.v1.EndpointPort.protocol',
  'core.v1.EndpointPort.port',
  'certificates.v1.CertificateSigningRequestSpec.signerName',
  'resource.v1beta1.ResourceSliceSpec.nodeName',
  'resource.v1beta1.ResourceSliceSpec.allNodes',
  'apps.v1.StatefulSetStatus.observedGeneration',
  'apps.v1beta2.StatefulSetStatus.observedGeneration',
]);

const pointers = new Set(
  POINTERS.trim()
    .split(/\n(?! )/)
    .flatMap((line) => {
      const [type = '', fields = ''] = line.split(': ');
      return fields.split(/\s+/).map((field) => `${type}.${field}`);
    }),
);

/** `xKubernetesListType` and `ref` of protobuf are `x-kubernetes-list-type` and `$ref` in JSON. */
const jsonForms = (field: string): readonly string[] => [
  field,
  `$${field}`,
  field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
];

/** True of a scalar that is a pointer in the Go type of a message (or OpenAPI definition). */
export function isPointerField(message: string, field: string): boolean {
  const [group, version, type] = message.split('.').slice(-3);
  if (PLAIN.has(`${group}.${version}.${type}.${field}`)) return false;
  return jsonForms(field).some((name) => pointers.has(`${type}.${name}`));
}
