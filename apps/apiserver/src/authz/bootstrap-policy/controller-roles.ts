import type { ClusterRole, PolicyRule } from '@orrery/api';
import { clusterRole } from './cluster-roles.js';
import { EVENTS, READ, READ_WRITE, rule } from './rule.js';

const CRUD = 'create delete get list patch update watch';
const READ_UPDATE = 'get list update watch';

/** Rules of each controller's service account kube-system/<name> (k8s bootstrappolicy/controller_policy.go). */
const CONTROLLERS: Readonly<Record<string, readonly PolicyRule[]>> = {
  'attachdetach-controller': [
    rule('list watch', '', 'persistentvolumes persistentvolumeclaims'),
    rule(READ, '', 'nodes'),
    rule('patch update', '', 'nodes/status'),
    rule('list watch', '', 'pods'),
    rule('create delete get list watch', 'storage.k8s.io', 'volumeattachments'),
    rule(READ, 'storage.k8s.io', 'csidrivers csinodes'),
  ],
  'clusterrole-aggregation-controller': [
    rule('escalate get list patch update watch', 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'cronjob-controller': [
    rule(READ_UPDATE, 'batch', 'cronjobs'),
    rule('create delete get list patch update watch', 'batch', 'jobs'),
    rule('update', 'batch', 'cronjobs/status cronjobs/finalizers'),
    rule('delete list watch', '', 'pods'),
  ],
  'daemon-set-controller': [
    rule(READ, 'apps extensions', 'daemonsets'),
    rule('update', 'apps extensions', 'daemonsets/status daemonsets/finalizers'),
    rule('list watch', '', 'nodes'),
    rule('create delete list patch watch', '', 'pods'),
    rule('create', '', 'pods/binding'),
    rule('create delete get list patch update watch', 'apps', 'controllerrevisions'),
  ],
  'deployment-controller': [
    rule(READ_UPDATE, 'apps extensions', 'deployments'),
    rule('update', 'apps extensions', 'deployments/status deployments/finalizers'),
    rule(CRUD, 'apps extensions', 'replicasets'),
    rule('get list update watch', '', 'pods'),
  ],
  'device-taint-eviction-controller': [
    rule('delete get list watch', '', 'pods'),
    rule('patch update', '', 'pods/status'),
    rule(READ, 'resource.k8s.io', 'resourceclaims resourceslices deviceclasses devicetaintrules'),
  ],
  'disruption-controller': [
    rule(READ, 'apps extensions', 'deployments replicasets'),
    rule(READ, 'apps', 'statefulsets'),
    rule(READ, '', 'replicationcontrollers'),
    rule(READ, 'policy', 'poddisruptionbudgets'),
    rule('update', 'policy', 'poddisruptionbudgets/status'),
    rule('get list watch', '', 'pods'),
    rule('patch update', '', 'pods/status'),
    rule('get', '*', '*/scale'),
  ],
  'endpoint-controller': [
    rule(READ, '', 'pods services'),
    rule('create delete get list update watch', '', 'endpoints'),
    rule('create', '', 'endpoints/restricted'),
  ],
  'endpointslice-controller': [
    rule(READ, '', 'nodes pods services'),
    rule('update', '', 'services/finalizers'),
    rule('create delete get list update watch', 'discovery.k8s.io', 'endpointslices'),
    rule('create', 'discovery.k8s.io', 'endpointslices/restricted'),
  ],
  'endpointslicemirroring-controller': [
    rule(READ, '', 'endpoints services'),
    rule('update', '', 'endpoints/finalizers services/finalizers'),
    rule('create delete get list update watch', 'discovery.k8s.io', 'endpointslices'),
    rule('create', 'discovery.k8s.io', 'endpointslices/restricted'),
  ],
  'ephemeral-volume-controller': [
    rule('update', '', 'pods/finalizers'),
    rule(READ, '', 'pods'),
    rule('create get list watch', '', 'persistentvolumeclaims'),
  ],
  'expand-controller': [
    rule('get list patch update watch', '', 'persistentvolumes'),
    rule('patch update', '', 'persistentvolumeclaims/status'),
    rule(READ, '', 'persistentvolumeclaims'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
  ],
  'generic-garbage-collector': [rule('delete get list patch update watch', '*', '*')],
  'horizontal-pod-autoscaler': [
    rule(READ, 'autoscaling', 'horizontalpodautoscalers'),
    rule('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    rule('get update', '*', '*/scale'),
    rule('list watch', '', 'pods'),
    rule('list watch', 'metrics.k8s.io', 'pods'),
    rule(READ, 'custom.metrics.k8s.io external.metrics.k8s.io', '*'),
  ],
  'job-controller': [
    rule('get list patch update watch', 'batch', 'jobs'),
    rule('update', 'batch', 'jobs/status jobs/finalizers'),
    rule('create delete list patch watch', '', 'pods'),
  ],
  'legacy-service-account-token-cleaner': [
    rule('get', '', 'configmaps', 'kube-apiserver-legacy-service-account-token-tracking'),
    rule('delete get list patch watch', '', 'secrets'),
  ],
  'namespace-controller': [
    rule('delete get list watch', '', 'namespaces'),
    rule('update', '', 'namespaces/finalize namespaces/status'),
    rule('delete deletecollection get list watch', '*', '*'),
  ],
  'node-controller': [
    rule('delete get list patch update watch', '', 'nodes'),
    rule('patch update', '', 'nodes/status pods/status'),
    rule('delete get list watch', '', 'pods'),
  ],
  'persistent-volume-binder': [
    rule('create delete get list update watch', '', 'persistentvolumes'),
    rule('update', '', 'persistentvolumes/status persistentvolumeclaims/status'),
    rule('get list update watch', '', 'persistentvolumeclaims'),
    rule('create delete get list watch', '', 'pods'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule(READ, '', 'nodes'),
    rule('watch', '', 'events'),
  ],
  'pod-garbage-collector': [
    rule('delete list watch', '', 'pods'),
    rule(READ, '', 'nodes'),
    rule('patch update', '', 'pods/status'),
  ],
  'pv-protection-controller': [rule('get list update watch', '', 'persistentvolumes')],
  'pvc-protection-controller': [
    rule('get list update watch', '', 'persistentvolumeclaims'),
    rule('update', '', 'persistentvolumeclaims/status'),
    rule(READ, '', 'pods'),
  ],
  'replicaset-controller': [
    rule(READ_UPDATE, 'apps extensions', 'replicasets'),
    rule('update', 'apps extensions', 'replicasets/status replicasets/finalizers'),
    rule('create delete list patch watch', '', 'pods'),
  ],
  'replication-controller': [
    rule(READ_UPDATE, '', 'replicationcontrollers'),
    rule('update', '', 'replicationcontrollers/status replicationcontrollers/finalizers'),
    rule('create delete list patch watch', '', 'pods'),
  ],
  'resource-claim-controller': [
    rule('update', '', 'pods/finalizers'),
    rule(READ, '', 'pods'),
    rule('create delete get list watch', 'resource.k8s.io', 'resourceclaims'),
    rule(
      'patch update',
      'resource.k8s.io',
      'resourceclaims resourceclaims/status resourceclaims/binding',
    ),
    rule('patch update', '', 'pods/status'),
    rule(READ, 'resource.k8s.io', 'resourceclaimtemplates'),
  ],
  'resourcequota-controller': [
    rule('list watch', '*', '*'),
    rule('update', '', 'resourcequotas/status'),
  ],
  'root-ca-cert-publisher': [rule('create update', '', 'configmaps')],
  'route-controller': [rule('list watch', '', 'nodes'), rule('patch', '', 'nodes/status')],
  'selinux-warning-controller': [
    rule(READ, '', 'pods persistentvolumes persistentvolumeclaims'),
    rule(READ, 'storage.k8s.io', 'csidrivers'),
  ],
  'service-account-controller': [rule('create', '', 'serviceaccounts')],
  'service-cidrs-controller': [
    rule('get list patch update watch', 'networking.k8s.io', 'servicecidrs'),
    rule('patch update', 'networking.k8s.io', 'servicecidrs/finalizers servicecidrs/status'),
    rule(READ, 'networking.k8s.io', 'ipaddresses'),
  ],
  'service-controller': [
    rule(READ, '', 'services'),
    rule('patch update', '', 'services/status'),
    rule('list watch', '', 'nodes'),
  ],
  'statefulset-controller': [
    rule('list watch', '', 'pods'),
    rule(READ, 'apps', 'statefulsets'),
    rule('update', 'apps', 'statefulsets/status statefulsets/finalizers'),
    rule('create delete get patch update', '', 'pods'),
    rule('create delete get list patch update watch', 'apps', 'controllerrevisions'),
    rule('create get delete patch update list watch', '', 'persistentvolumeclaims'),
    rule('update', '', 'pods/finalizers'),
  ],
  'taint-eviction-controller': [
    rule('delete get list watch', '', 'pods'),
    rule('get list', '', 'nodes'),
    rule('patch update', '', 'pods/status'),
  ],
  'ttl-after-finished-controller': [rule('delete get list watch', 'batch', 'jobs')],
  'ttl-controller': [rule('list patch update watch', '', 'nodes')],
  'validatingadmissionpolicy-status-controller': [
    rule(READ, 'admissionregistration.k8s.io', 'validatingadmissionpolicies'),
    rule('get patch update', 'admissionregistration.k8s.io', 'validatingadmissionpolicies/status'),
    rule(READ, 'apiextensions.k8s.io', 'customresourcedefinitions'),
  ],
  'volumeattributesclass-protection-controller': [
    rule('get list update watch', 'storage.k8s.io', 'volumeattributesclasses'),
    rule(READ, '', 'persistentvolumeclaims persistentvolumes'),
  ],
  // Ours: node CIDRs are handed out by a controller of its own, as upstream's nodeipam does with node-controller's rights.
  'node-ipam-controller': [rule('get list patch update watch', '', 'nodes')],
  'certificate-controller': [
    rule('delete get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
    rule(
      'update',
      'certificates.k8s.io',
      'certificatesigningrequests/approval certificatesigningrequests/status',
    ),
    rule(
      'approve',
      'certificates.k8s.io',
      'signers',
      'kubernetes.io/kube-apiserver-client-kubelet',
    ),
    rule(
      'sign',
      'certificates.k8s.io',
      'signers',
      'kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown',
    ),
    rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
  ],
  'bootstrap-signer': [rule(READ, '', 'secrets'), rule(READ_WRITE, '', 'configmaps')],
  'token-cleaner': [rule('delete get list watch', '', 'secrets')],
};

/** Names of the service accounts in kube-system that have a role of their own. */
export const controllerNames: readonly string[] = Object.keys(CONTROLLERS);

export const controllerClusterRoles: readonly ClusterRole[] = Object.entries(CONTROLLERS).map(
  ([name, rules]) => clusterRole(`system:controller:${name}`, [...rules, EVENTS]),
);
