import type { ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '@orrery/api';
import { BOOTSTRAP_ANNOTATIONS, BOOTSTRAP_LABELS } from './cluster-roles.js';
import { controllerNames } from './controller-roles.js';
import { READ, READ_UPDATE, rule } from './rule.js';

const API = 'rbac.authorization.k8s.io';
const group = (name: string): Subject => ({ apiGroup: API, kind: 'Group', name });
const user = (name: string): Subject => ({ apiGroup: API, kind: 'User', name });
const account = (name: string, namespace = 'kube-system'): Subject => ({
  kind: 'ServiceAccount',
  name,
  namespace,
});

const metadata = (name: string, namespace?: string): ClusterRoleBinding['metadata'] => ({
  name,
  ...(namespace ? { namespace } : {}),
  labels: BOOTSTRAP_LABELS,
  annotations: BOOTSTRAP_ANNOTATIONS,
});

const bind = (name: string, subjects: Subject[], role = name): ClusterRoleBinding => ({
  apiVersion: `${API}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: metadata(name),
  subjects,
  roleRef: { apiGroup: API, kind: 'ClusterRole', name: role },
});

/** Who has which role from the start (k8s bootstrappolicy/policy.go ClusterRoleBindings). */
export const clusterRoleBindings: readonly ClusterRoleBinding[] = [
  bind('cluster-admin', [group('system:masters')]),
  bind('system:monitoring', [group('system:monitoring')]),
  bind('system:discovery', [group('system:authenticated')]),
  bind('system:basic-user', [group('system:authenticated')]),
  bind('system:public-info-viewer', [
    group('system:authenticated'),
    group('system:unauthenticated'),
  ]),
  bind('system:node-proxier', [user('system:kube-proxy')]),
  bind('system:kube-controller-manager', [user('system:kube-controller-manager')]),
  bind('system:kube-dns', [account('kube-dns')]),
  bind('system:kube-scheduler', [user('system:kube-scheduler')]),
  bind('system:volume-scheduler', [user('system:kube-scheduler')]),
  // The Node authorizer decides for nodes; upstream keeps this binding without subjects too.
  bind('system:node', []),
  bind('system:service-account-issuer-discovery', [group('system:serviceaccounts')]),
  ...controllerNames.map((name) => bind(`system:controller:${name}`, [account(name)])),
];

const role = (namespace: string, name: string, rules: PolicyRule[]): Role => ({
  apiVersion: `${API}/v1`,
  kind: 'Role',
  metadata: metadata(name, namespace),
  rules,
});

const LEADERS = ['kube-controller-manager', 'kube-scheduler'];

export const namespaceRoles: readonly Role[] = [
  role('kube-system', 'extension-apiserver-authentication-reader', [
    rule(READ, '', 'configmaps', 'extension-apiserver-authentication'),
  ]),
  role('kube-system', 'system:controller:bootstrap-signer', [rule(READ, '', 'secrets')]),
  role('kube-system', 'system:controller:cloud-provider', [
    rule('create get list update watch', '', 'configmaps'),
  ]),
  role('kube-system', 'system:controller:token-cleaner', [
    rule('delete get list watch', '', 'secrets'),
    rule('create patch update', 'core events.k8s.io', 'events'),
  ]),
  ...LEADERS.map((name) =>
    role('kube-system', `system::leader-locking-${name}`, [
      rule('watch', '', 'configmaps'),
      rule('get update', '', 'configmaps', name),
    ]),
  ),
  role('kube-public', 'system:controller:bootstrap-signer', [
    rule(READ_UPDATE, '', 'configmaps', 'cluster-info'),
    rule('create patch update', 'core events.k8s.io', 'events'),
  ]),
];

const localBinding = (
  namespace: string,
  name: string,
  subjects: Subject[],
  to = name,
): RoleBinding => ({
  apiVersion: `${API}/v1`,
  kind: 'RoleBinding',
  metadata: metadata(name, namespace),
  subjects,
  roleRef: { apiGroup: API, kind: 'Role', name: to },
});

export const namespaceRoleBindings: readonly RoleBinding[] = [
  localBinding('kube-system', 'system:controller:bootstrap-signer', [account('bootstrap-signer')]),
  localBinding('kube-system', 'system:controller:cloud-provider', [account('cloud-provider')]),
  localBinding('kube-system', 'system:controller:token-cleaner', [account('token-cleaner')]),
  ...LEADERS.map((name) =>
    localBinding('kube-system', `system::leader-locking-${name}`, [
      user(`system:${name}`),
      account(name),
    ]),
  ),
  localBinding(
    'kube-system',
    'system::extension-apiserver-authentication-reader',
    LEADERS.map((name) => user(`system:${name}`)),
    'extension-apiserver-authentication-reader',
  ),
  localBinding('kube-public', 'system:controller:bootstrap-signer', [account('bootstrap-signer')]),
];
