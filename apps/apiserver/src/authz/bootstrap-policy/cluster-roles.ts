import type { ClusterRole, PolicyRule } from '@orrery/api';
import { nodeRules } from '../node/node-rules.js';
import { EVENTS, READ, rule, urls } from './rule.js';

export const BOOTSTRAP_LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
export const BOOTSTRAP_ANNOTATIONS = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };

export function clusterRole(
  name: string,
  rules: PolicyRule[],
  labels: Record<string, string> = {},
): ClusterRole {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name,
      labels: { ...BOOTSTRAP_LABELS, ...labels },
      annotations: BOOTSTRAP_ANNOTATIONS,
    },
    rules,
  };
}

const PUBLIC_PATHS = '/healthz /livez /readyz /version /version/';
const DISCOVERY_PATHS =
  '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/';

const leaderElection = (name: string): PolicyRule[] => [
  rule('create', 'coordination.k8s.io', 'leases'),
  rule('get update patch', 'coordination.k8s.io', 'leases', name),
];

const reviews: PolicyRule[] = [
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
];

const scheduler: PolicyRule[] = [
  rule('create patch update', 'core events.k8s.io', 'events'),
  ...leaderElection('kube-scheduler'),
  rule('get update', 'coordination.k8s.io', 'leasecandidates'),
  rule(READ, '', 'nodes'),
  rule('delete get list watch', '', 'pods'),
  rule('create', '', 'bindings pods/binding'),
  rule('patch update', '', 'pods/status'),
  rule(READ, '', 'replicationcontrollers services'),
  rule(READ, 'apps', 'replicasets statefulsets'),
  rule(READ, 'policy', 'poddisruptionbudgets'),
  rule(`${READ} patch update`, '', 'persistentvolumeclaims persistentvolumes'),
  ...reviews,
  rule(READ, 'storage.k8s.io', 'csinodes csidrivers csistoragecapacities volumeattachments'),
  rule(READ, '', 'namespaces'),
  rule(READ, 'resource.k8s.io', 'deviceclasses resourceslices'),
  rule(`${READ} patch update`, 'resource.k8s.io', 'resourceclaims'),
  rule('patch update', 'resource.k8s.io', 'resourceclaims/status resourceclaims/binding'),
  rule('create delete', 'resource.k8s.io', 'resourceclaims'),
];

const controllerManager: PolicyRule[] = [
  EVENTS,
  ...leaderElection('kube-controller-manager'),
  rule('create', '', 'secrets serviceaccounts'),
  rule('delete', '', 'secrets'),
  rule('get', '', 'configmaps namespaces secrets serviceaccounts'),
  rule('update', '', 'secrets serviceaccounts'),
  ...reviews,
  rule('list watch', '*', '*'),
  rule('create', '', 'serviceaccounts/token'),
];

const system: ClusterRole[] = [
  clusterRole('system:discovery', [urls('get', DISCOVERY_PATHS)]),
  clusterRole('system:basic-user', [
    rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ]),
  clusterRole('system:public-info-viewer', [urls('get', PUBLIC_PATHS)]),
  clusterRole('system:monitoring', [
    urls('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'),
    urls('get', '/flagz'),
    urls('get', '/statusz'),
  ]),
  clusterRole('system:heapster', [
    rule(READ, '', 'events namespaces nodes pods'),
    rule(READ, 'apps extensions', 'deployments'),
  ]),
  clusterRole('system:node', nodeRules),
  clusterRole('system:node-problem-detector', [
    rule('get', '', 'nodes'),
    rule('patch', '', 'nodes/status'),
    EVENTS,
  ]),
  clusterRole('system:kubelet-api-admin', [
    rule(READ, '', 'nodes'),
    rule('proxy', '', 'nodes'),
    rule(
      '*',
      '',
      'nodes/log nodes/metrics nodes/proxy nodes/stats nodes/configz nodes/healthz nodes/pods',
    ),
  ]),
  clusterRole('system:node-bootstrapper', [
    rule('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
  ]),
  clusterRole('system:auth-delegator', reviews),
  clusterRole('system:kube-aggregator', [rule(READ, '', 'services endpoints')]),
  clusterRole('system:kube-controller-manager', controllerManager),
  clusterRole('system:kube-dns', [rule('list watch', '', 'endpoints services')]),
  clusterRole('system:persistent-volume-provisioner', [
    rule('create delete get list watch', '', 'persistentvolumes'),
    rule(`${READ} update`, '', 'persistentvolumeclaims'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule('watch', '', 'events'),
    EVENTS,
  ]),
  clusterRole('system:kube-scheduler', scheduler),
  clusterRole('system:volume-scheduler', [
    rule(`${READ} patch update`, '', 'persistentvolumes'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule(`${READ} patch update`, '', 'persistentvolumeclaims'),
  ]),
  clusterRole('system:node-proxier', [
    rule('list watch', '', 'services endpoints'),
    rule(READ, '', 'nodes'),
    EVENTS,
    rule('list watch', 'discovery.k8s.io', 'endpointslices'),
    rule('list watch', 'networking.k8s.io', 'servicecidrs'),
  ]),
  clusterRole('system:service-account-issuer-discovery', [
    urls(
      'get',
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
    ),
  ]),
];

const SIGNER_ROLES = {
  'legacy-unknown-approver': 'kubernetes.io/legacy-unknown',
  'kubelet-serving-approver': 'kubernetes.io/kubelet-serving',
  'kube-apiserver-client-approver': 'kubernetes.io/kube-apiserver-client',
  'kube-apiserver-client-kubelet-approver': 'kubernetes.io/kube-apiserver-client-kubelet',
} as const;

const certificates: ClusterRole[] = [
  ...['nodeclient', 'selfnodeclient'].map((sub) =>
    clusterRole(`system:certificates.k8s.io:certificatesigningrequests:${sub}`, [
      rule('create', 'certificates.k8s.io', `certificatesigningrequests/${sub}`),
    ]),
  ),
  ...Object.entries(SIGNER_ROLES).map(([name, signer]) =>
    clusterRole(`system:certificates.k8s.io:${name}`, [
      rule('approve', 'certificates.k8s.io', 'signers', signer),
    ]),
  ),
];

/** Roles of people and components, as upstream creates them at start (k8s bootstrappolicy/policy.go ClusterRoles). */
export const systemClusterRoles: readonly ClusterRole[] = [
  clusterRole('cluster-admin', [rule('*', '*', '*'), urls('*', '*')]),
  ...system,
  ...certificates,
];
