/**
 * Optional scalars that are pointers in Go, so that zero means "set to zero" and stays in the JSON form.
 * Protobuf cannot tell: Go writes the zero of plain fields too (k8s 1.36 api types.go).
 */
const POINTERS = new Set(
  `activeDeadlineSeconds allocateLoadBalancerNodePorts allowPrivilegeEscalation allowVolumeExpansion
  appProtocol attachRequired automountServiceAccountToken averageUtilization backoffLimit
  backoffLimitPerIndex blockOwnerDeletion completedIndexes completions controller
  currentAverageUtilization currentCPUUtilizationPercentage  defaultMode
  deletionGracePeriodSeconds enableServiceLinks endPort exclusive expirationSeconds
  failedJobsHistoryLimit force fsGroup gracePeriodSeconds holderIdentity hostProcess hostUsers
  ignoreStoreReadErrorWithClusterBreakingPotential immutable ingressClassName isDefault
  leaseDurationSeconds leaseTransitions manualSelector maxFailedIndexes maxItems maxLength
  maxProperties maximum minItems minLength minProperties minReplicas minimum mode multipleOf
  nodesCount optional optionalOldSelf orphanDependents parallelism partition percentage podInfoOnMount
  priority progressDeadlineSeconds publishNotReady ready readOnlyRootFilesystem remainingItemCount
  replicas requiresRepublish revisionHistoryLimit runAsGroup runAsNonRoot runAsUser
  runtimeClassName schedulerPriority seLinuxMount serving setHostnameAsFQDN shareProcessNamespace
  stabilizationWindowSeconds started startingDeadlineSeconds storageCapacity storageClassName
  successfulJobsHistoryLimit  suspend targetCPUUtilizationPercentage
  terminating terminationGracePeriodSeconds timeZone timeoutSeconds tolerationSeconds
  ttlSecondsAfterFinished volumeAttributesClassName  xKubernetesPreserveUnknownFields
  privileged  port minDomains oomScoreAdj   unhealthyPodEvictionPolicy
  sessionAffinityTimeoutSeconds terminatingReplicas allowDisruption `.split(/\s+/),
);

/** Fields of those names that are plain in one message. */
const PLAIN = new Set([
  'Probe.timeoutSeconds',
  'Probe.port',
  'DaemonEndpoint.port',
  'ContainerPort.port',
  'ReplicaSetStatus.replicas',
  'DeploymentStatus.replicas',
  'StatefulSetStatus.replicas',
  'ReplicationControllerStatus.replicas',
  'ScaleSpec.replicas',
  'ScaleStatus.replicas',
  'FlexVolumeSource.optional',
]);

export const isPointerField = (message: string, field: string): boolean =>
  POINTERS.has(field) && !PLAIN.has(`${message.slice(message.lastIndexOf('.') + 1)}.${field}`);
