import { EndpointSliceKind } from './discovery/v1/endpointslice/endpointslice.kind.js';
import { LeaseKind } from './coordination/v1/lease/lease.kind.js';
import { DaemonSetKind } from './apps/v1/daemonset/daemonset.kind.js';
import { StatefulSetKind } from './apps/v1/statefulset/statefulset.kind.js';
import { DeploymentKind } from './apps/v1/deployment/deployment.kind.js';
import { ControllerRevisionKind } from './apps/v1/controllerrevision/controllerrevision.kind.js';
import { ReplicaSetKind } from './apps/v1/replicaset/replicaset.kind.js';
import { NodeKind } from './core/v1/node/node.kind.js';
import { ServiceAccountKind } from './core/v1/serviceaccount/serviceaccount.kind.js';
import { SecretKind } from './core/v1/secret/secret.kind.js';
import { NamespaceKind } from './core/v1/namespace/namespace.kind.js';
import { PodKind } from './core/v1/pod/pod.kind.js';
import { ServiceKind } from './core/v1/service/service.kind.js';
import { ReplicationControllerKind } from './core/v1/replicationcontroller/replicationcontroller.kind.js';
import { ConfigMapKind } from './core/v1/configmap/configmap.kind.js';
import { EndpointsKind } from './core/v1/endpoints/endpoints.kind.js';
import { PodTemplateKind } from './core/v1/pod-template/pod-template.kind.js';
import { RuntimeClassKind } from './node/v1/runtimeclass/runtimeclass.kind.js';
import { PriorityClassKind } from './scheduling/v1/priorityclass/priorityclass.kind.js';
import { IngressClassKind } from './networking/v1/ingressclass/ingressclass.kind.js';
import { NetworkPolicyKind } from './networking/v1/networkpolicy/networkpolicy.kind.js';
import { IngressKind } from './networking/v1/ingress/ingress.kind.js';
import { PodDisruptionBudgetKind } from './policy/v1/poddisruptionbudget/poddisruptionbudget.kind.js';
import { RoleBindingKind } from './rbac/v1/rolebinding/rolebinding.kind.js';
import { ClusterRoleBindingKind } from './rbac/v1/rolebinding/rolebinding.kind.js';
import { RoleKind } from './rbac/v1/role/role.kind.js';
import { ClusterRoleKind } from './rbac/v1/role/role.kind.js';
import { JobKind } from './batch/v1/job/job.kind.js';
import { CronJobKind } from './batch/v1/cronjob/cronjob.kind.js';
import { CertificateSigningRequestKind } from './certificates/v1/certificatesigningrequest/certificatesigningrequest.kind.js';
import { EventsEventKind } from './events/v1/event/event.kind.js';
import { CSIDriverKind } from './storage/v1/csidriver/csidriver.kind.js';
import { StorageClassKind } from './storage/v1/storageclass/storageclass.kind.js';
import { VolumeAttachmentKind } from './storage/v1/volumeattachment/volumeattachment.kind.js';
import { CSINodeKind } from './storage/v1/csinode/csinode.kind.js';
import { ResourceQuotaKind } from './core/v1/resourcequota/resourcequota.kind.js';
import { LimitRangeKind } from './core/v1/limitrange/limitrange.kind.js';
import { PersistentVolumeKind } from './core/v1/persistentvolume/persistentvolume.kind.js';
import { EventKind } from './core/v1/event/event.kind.js';
import { PersistentVolumeClaimKind } from './core/v1/persistentvolumeclaim/persistentvolumeclaim.kind.js';
import { CustomResourceDefinitionKind } from './apiextensions/v1/customresourcedefinition/customresourcedefinition.kind.js';
import { HorizontalPodAutoscalerV1Kind } from './autoscaling/v1/horizontalpodautoscaler/horizontalpodautoscaler.kind.js';
import { HorizontalPodAutoscalerKind } from './autoscaling/v2/horizontalpodautoscaler/horizontalpodautoscaler.kind.js';
import { MutatingWebhookConfigurationKind } from './admissionregistration/v1/webhookconfiguration/webhookconfiguration.kind.js';
import { ValidatingWebhookConfigurationKind } from './admissionregistration/v1/webhookconfiguration/webhookconfiguration.kind.js';
import { ComponentStatusKind } from './core/v1/componentstatus/componentstatus.kind.js';
import { FlowSchemaKind } from './flowcontrol/v1/flowschema/flowschema.kind.js';
import { PriorityLevelConfigurationKind } from './flowcontrol/v1/prioritylevelconfiguration/prioritylevelconfiguration.kind.js';
import { DeviceClassKind } from './resource/v1/deviceclass/deviceclass.kind.js';
import { ResourceClaimKind } from './resource/v1/resourceclaim/resourceclaim.kind.js';
import { ResourceClaimTemplateKind } from './resource/v1/resourceclaimtemplate/resourceclaimtemplate.kind.js';
import { ResourceSliceKind } from './resource/v1/resourceslice/resourceslice.kind.js';
import { IPAddressKind } from './networking/v1/ipaddress/ipaddress.kind.js';
import { ServiceCIDRKind } from './networking/v1/servicecidr/servicecidr.kind.js';
import { CSIStorageCapacityKind } from './storage/v1/csistoragecapacity/csistoragecapacity.kind.js';
import { VolumeAttributesClassKind } from './storage/v1/volumeattributesclass/volumeattributesclass.kind.js';
import { LeaseCandidateKind } from './coordination/v1beta1/leasecandidate/leasecandidate.kind.js';
import { ClusterTrustBundleKind } from './certificates/v1beta1/clustertrustbundle/clustertrustbundle.kind.js';
import { PodCertificateRequestKind } from './certificates/v1beta1/podcertificaterequest/podcertificaterequest.kind.js';
import { StorageVersionMigrationKind } from './storagemigration/v1beta1/storageversionmigration/storageversionmigration.kind.js';
import { APIServiceKind } from './apiregistration/v1/apiservice/apiservice.kind.js';
import {
  ValidatingAdmissionPolicyBindingKind,
  ValidatingAdmissionPolicyKind,
} from './admissionregistration/v1/validatingadmissionpolicy/validatingadmissionpolicy.kind.js';
import {
  MutatingAdmissionPolicyBindingKind,
  MutatingAdmissionPolicyKind,
} from './admissionregistration/v1/mutatingadmissionpolicy/mutatingadmissionpolicy.kind.js';
import type { KindDescriptor } from './kind.js';

export { requestKinds } from './request-kinds.js';

/** Every stored kind. */
export const kinds: readonly KindDescriptor[] = [
  NamespaceKind,
  NodeKind,
  PodKind,
  PodTemplateKind,
  ServiceKind,
  EndpointsKind,
  ConfigMapKind,
  SecretKind,
  ServiceAccountKind,
  EventKind,
  ReplicationControllerKind,
  LimitRangeKind,
  ResourceQuotaKind,
  PersistentVolumeKind,
  PersistentVolumeClaimKind,
  DeploymentKind,
  ReplicaSetKind,
  DaemonSetKind,
  StatefulSetKind,
  ControllerRevisionKind,
  EventsEventKind,
  HorizontalPodAutoscalerKind,
  HorizontalPodAutoscalerV1Kind,
  JobKind,
  CronJobKind,
  CertificateSigningRequestKind,
  NetworkPolicyKind,
  IngressKind,
  IngressClassKind,
  PodDisruptionBudgetKind,
  RoleKind,
  RoleBindingKind,
  ClusterRoleKind,
  ClusterRoleBindingKind,
  StorageClassKind,
  CSINodeKind,
  CSIDriverKind,
  VolumeAttachmentKind,
  CustomResourceDefinitionKind,
  APIServiceKind,
  MutatingWebhookConfigurationKind,
  ValidatingWebhookConfigurationKind,
  ValidatingAdmissionPolicyKind,
  ValidatingAdmissionPolicyBindingKind,
  MutatingAdmissionPolicyKind,
  MutatingAdmissionPolicyBindingKind,
  PriorityClassKind,
  LeaseKind,
  RuntimeClassKind,
  EndpointSliceKind,
  ComponentStatusKind,
  FlowSchemaKind,
  PriorityLevelConfigurationKind,
  DeviceClassKind,
  ResourceClaimKind,
  ResourceClaimTemplateKind,
  ResourceSliceKind,
  IPAddressKind,
  ServiceCIDRKind,
  CSIStorageCapacityKind,
  VolumeAttributesClassKind,
  LeaseCandidateKind,
  ClusterTrustBundleKind,
  PodCertificateRequestKind,
  StorageVersionMigrationKind,
];

/** Groups in the order of discovery, each with its versions, preferred first (kube-aggregator's priorities). */
export const groupVersions: readonly {
  readonly group: string;
  readonly versions: readonly string[];
}[] = [
  { group: '', versions: ['v1'] },
  { group: 'apiregistration.k8s.io', versions: ['v1'] },
  { group: 'apps', versions: ['v1'] },
  { group: 'events.k8s.io', versions: ['v1'] },
  { group: 'authentication.k8s.io', versions: ['v1'] },
  { group: 'authorization.k8s.io', versions: ['v1'] },
  { group: 'autoscaling', versions: ['v2', 'v1'] },
  { group: 'batch', versions: ['v1'] },
  { group: 'certificates.k8s.io', versions: ['v1', 'v1beta1'] },
  { group: 'networking.k8s.io', versions: ['v1'] },
  { group: 'policy', versions: ['v1'] },
  { group: 'rbac.authorization.k8s.io', versions: ['v1'] },
  { group: 'storage.k8s.io', versions: ['v1'] },
  { group: 'admissionregistration.k8s.io', versions: ['v1'] },
  { group: 'apiextensions.k8s.io', versions: ['v1'] },
  { group: 'scheduling.k8s.io', versions: ['v1'] },
  { group: 'coordination.k8s.io', versions: ['v1', 'v1beta1'] },
  { group: 'node.k8s.io', versions: ['v1'] },
  { group: 'discovery.k8s.io', versions: ['v1'] },
  { group: 'flowcontrol.apiserver.k8s.io', versions: ['v1'] },
  { group: 'resource.k8s.io', versions: ['v1'] },
  { group: 'storagemigration.k8s.io', versions: ['v1beta1'] },
];

/** Betas that are served only where `--runtime-config` asks for them, as upstream's since 1.24. */
export const optionalGroupVersions: readonly string[] = [
  'certificates.k8s.io/v1beta1',
  'coordination.k8s.io/v1beta1',
  'storagemigration.k8s.io/v1beta1',
];

const byResource = new Map(
  kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]),
);

/** The kind served as `plural` in a group version, if any. */
export function findKind(
  group: string,
  version: string,
  plural: string,
): KindDescriptor | undefined {
  return byResource.get(`${group}/${version}/${plural}`);
}
