import { parseApiVersion } from '@orrery/apimachinery';

/**
 * What upstream's scheme of built-in kinds knows of each group version, served or not: to name another of these is
 * told in other words than to name one that there is not (k8s api 0.36.3 <group>/<version>/register.go).
 */
const REGISTERED: Readonly<Record<string, string>> = {
  'admission.k8s.io/v1': 'AdmissionReview',
  'admission.k8s.io/v1beta1': 'AdmissionReview',
  'admissionregistration.k8s.io/v1':
    'ValidatingWebhookConfiguration MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/v1alpha1':
    'ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/v1beta1':
    'ValidatingWebhookConfiguration MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding',
  'internal.apiserver.k8s.io/v1alpha1': 'StorageVersion',
  'apps/v1': 'Deployment StatefulSet DaemonSet ReplicaSet ControllerRevision',
  'apps/v1beta1': 'Deployment DeploymentRollback Scale StatefulSet ControllerRevision',
  'apps/v1beta2': 'Deployment Scale StatefulSet DaemonSet ReplicaSet ControllerRevision',
  'authentication.k8s.io/v1': 'TokenReview TokenRequest SelfSubjectReview',
  'authentication.k8s.io/v1alpha1': 'SelfSubjectReview',
  'authentication.k8s.io/v1beta1': 'SelfSubjectReview TokenReview',
  'authorization.k8s.io/v1':
    'SelfSubjectRulesReview SelfSubjectAccessReview SubjectAccessReview LocalSubjectAccessReview',
  'authorization.k8s.io/v1beta1':
    'SelfSubjectRulesReview SelfSubjectAccessReview SubjectAccessReview LocalSubjectAccessReview',
  'autoscaling/v1': 'HorizontalPodAutoscaler Scale',
  'autoscaling/v2': 'HorizontalPodAutoscaler',
  'batch/v1': 'Job CronJob',
  'batch/v1beta1': 'CronJob',
  'certificates.k8s.io/v1': 'CertificateSigningRequest',
  'certificates.k8s.io/v1alpha1': 'ClusterTrustBundle',
  'certificates.k8s.io/v1beta1':
    'CertificateSigningRequest ClusterTrustBundle PodCertificateRequest',
  'coordination.k8s.io/v1': 'Lease',
  'coordination.k8s.io/v1alpha2': 'LeaseCandidate',
  'coordination.k8s.io/v1beta1': 'Lease LeaseCandidate',
  v1: 'Pod PodStatusResult PodTemplate ReplicationController Service ServiceProxyOptions Endpoints Node NodeProxyOptions Binding Event LimitRange ResourceQuota Namespace Secret ServiceAccount PersistentVolume PersistentVolumeClaim PodAttachOptions PodLogOptions PodExecOptions PodPortForwardOptions PodProxyOptions ComponentStatus SerializedReference RangeAllocation ConfigMap List',
  'discovery.k8s.io/v1': 'EndpointSlice',
  'discovery.k8s.io/v1beta1': 'EndpointSlice',
  'events.k8s.io/v1': 'Event',
  'events.k8s.io/v1beta1': 'Event',
  'extensions/v1beta1':
    'Deployment DeploymentRollback Scale DaemonSet Ingress ReplicaSet NetworkPolicy',
  'flowcontrol.apiserver.k8s.io/v1': 'FlowSchema PriorityLevelConfiguration',
  'flowcontrol.apiserver.k8s.io/v1beta1': 'FlowSchema PriorityLevelConfiguration',
  'flowcontrol.apiserver.k8s.io/v1beta2': 'FlowSchema PriorityLevelConfiguration',
  'flowcontrol.apiserver.k8s.io/v1beta3': 'FlowSchema PriorityLevelConfiguration',
  'imagepolicy.k8s.io/v1alpha1': 'ImageReview',
  'networking.k8s.io/v1': 'Ingress IngressClass NetworkPolicy IPAddress ServiceCIDR',
  'networking.k8s.io/v1beta1': 'Ingress IngressClass IPAddress ServiceCIDR',
  'node.k8s.io/v1': 'RuntimeClass',
  'node.k8s.io/v1alpha1': 'RuntimeClass',
  'node.k8s.io/v1beta1': 'RuntimeClass',
  'policy/v1': 'PodDisruptionBudget Eviction',
  'policy/v1beta1': 'PodDisruptionBudget Eviction',
  'rbac.authorization.k8s.io/v1': 'Role RoleBinding ClusterRole ClusterRoleBinding',
  'rbac.authorization.k8s.io/v1alpha1': 'Role RoleBinding ClusterRole ClusterRoleBinding',
  'rbac.authorization.k8s.io/v1beta1': 'Role RoleBinding ClusterRole ClusterRoleBinding',
  'resource.k8s.io/v1': 'DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice',
  'resource.k8s.io/v1alpha3': 'DeviceTaintRule ResourcePoolStatusRequest',
  'resource.k8s.io/v1beta1': 'DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice',
  'resource.k8s.io/v1beta2':
    'DeviceClass DeviceTaintRule ResourceClaim ResourceClaimTemplate ResourceSlice',
  'scheduling.k8s.io/v1': 'PriorityClass',
  'scheduling.k8s.io/v1alpha2': 'Workload PodGroup',
  'scheduling.k8s.io/v1beta1': 'PriorityClass',
  'storage.k8s.io/v1':
    'StorageClass VolumeAttachment CSINode CSIDriver CSIStorageCapacity VolumeAttributesClass',
  'storage.k8s.io/v1alpha1': 'VolumeAttachment CSIStorageCapacity VolumeAttributesClass',
  'storage.k8s.io/v1beta1':
    'StorageClass VolumeAttachment CSIDriver CSINode CSIStorageCapacity VolumeAttributesClass',
  'storagemigration.k8s.io/v1beta1': 'StorageVersionMigration',
};

/** Kinds without a list of their own. */
const SINGLE =
  /^(?:List|Binding|Scale|DeploymentRollback|Eviction|TokenRequest|PodStatusResult|SerializedReference|RangeAllocation|.*(?:Review|Options))$/;

/** Every group version has these (k8s apimachinery pkg/apis/meta/v1/register.go:AddToGroupVersion). */
const OF_ALL = /^(?:WatchEvent|(?:List|Get|Delete|Create|Update|Patch)Options)$/;
const UNVERSIONED = /^(?:Status|APIVersions|APIGroup|APIGroupList|APIResourceList)$/;

/** Go's name of the package of a group's internal types, where it is not the group's first word. */
const PACKAGES: Readonly<Record<string, string>> = {
  '': 'core',
  'events.k8s.io': 'core',
  'rbac.authorization.k8s.io': 'rbac',
  'internal.apiserver.k8s.io': 'apiserverinternal',
};

/** Where each scheme is made, which is its name. */
const SCHEMES: Readonly<Record<string, string>> = {
  'apiextensions.k8s.io': 'pkg/apiserver/apiserver.go:55',
  'apiregistration.k8s.io': 'pkg/apiserver/scheme/scheme.go:28',
};
const SCHEME = 'pkg/api/legacyscheme/scheme.go:30';

/** The scheme that decodes the kinds of a group. */
export const schemeOf = (group: string): string => SCHEMES[group] ?? SCHEME;

/** Whether a group's scheme has a type for this kind. */
export function isRegistered(expectedGroup: string, apiVersion: string, kind: string): boolean {
  const { group, version } = parseApiVersion(apiVersion);
  if (expectedGroup in SCHEMES) {
    return group === expectedGroup && version === 'v1' && OF_ALL.test(kind);
  }
  if (apiVersion === 'v1' && UNVERSIONED.test(kind)) return true;
  const kinds = REGISTERED[apiVersion]?.split(' ');
  if (!kinds) return false;
  if (OF_ALL.test(kind) || kinds.includes(kind)) return true;
  const item = /^(.+)List$/.exec(kind)?.[1];
  return item !== undefined && !SINGLE.test(item) && kinds.includes(item);
}

/** Go's name of the internal type of a kind: the versions of one type can be converted to one another. */
export function internalType(group: string, kind: string): string {
  if (group === 'extensions') {
    if (/^(?:Ingress|NetworkPolicy)/.test(kind)) return `networking.${kind}`;
    return `${kind === 'Scale' ? 'autoscaling' : 'apps'}.${kind}`;
  }
  if (group === 'apps' && kind === 'Scale') return 'autoscaling.Scale';
  return `${PACKAGES[group] ?? group.split('.')[0]}.${kind}`;
}
