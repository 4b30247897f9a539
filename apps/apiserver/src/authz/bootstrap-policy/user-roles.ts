import type { ClusterRole, PolicyRule } from '@orrery/api';
import { clusterRole } from './cluster-roles.js';
import { READ, WRITE, rule } from './rule.js';

const aggregateTo = (role: string): Record<string, string> => ({
  [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true',
});

/** A role whose rules the aggregation controller keeps; it starts with `rules`, so that it works before that controller runs. */
function aggregated(name: string, rules: PolicyRule[], labels = {}): ClusterRole {
  return {
    ...clusterRole(name, rules, labels),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregateTo(name) }] },
  };
}

const APPS_WRITE =
  'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale';
const APPS_READ = `controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status`;

const viewRules = [
  rule(
    READ,
    '',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
  ),
  rule(
    READ,
    '',
    'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
  ),
  rule(READ, '', 'namespaces'),
  rule(READ, 'discovery.k8s.io', 'endpointslices'),
  rule(READ, 'apps', APPS_READ),
  rule(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  rule(READ, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
  rule(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  rule(READ, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  rule(READ, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
];

const editRules = [
  rule(READ, '', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
  rule('impersonate', '', 'serviceaccounts'),
  rule(WRITE, '', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
  rule('create', '', 'pods/eviction'),
  // No endpoints here: CVE-2021-25740.
  rule(
    WRITE,
    '',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
  ),
  rule('create', '', 'serviceaccounts/token'),
  rule(WRITE, 'apps', APPS_WRITE),
  rule(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
  rule(WRITE, 'batch', 'cronjobs jobs'),
  rule(WRITE, 'policy', 'poddisruptionbudgets'),
  rule(WRITE, 'networking.k8s.io', 'ingresses networkpolicies'),
  rule(
    'create delete deletecollection get list patch update watch',
    'coordination.k8s.io',
    'leases',
  ),
  rule(WRITE, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
];

const adminRules = [
  rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
  rule(`${WRITE} ${READ}`, 'rbac.authorization.k8s.io', 'rolebindings roles'),
];

/** admin, edit, view and the roles that they are made of. */
export const userClusterRoles: readonly ClusterRole[] = [
  aggregated('admin', [...adminRules, ...editRules, ...viewRules]),
  aggregated('edit', [...editRules, ...viewRules], aggregateTo('admin')),
  aggregated('view', viewRules, aggregateTo('edit')),
  clusterRole('system:aggregate-to-admin', adminRules, aggregateTo('admin')),
  clusterRole('system:aggregate-to-edit', editRules, aggregateTo('edit')),
  clusterRole('system:aggregate-to-view', viewRules, aggregateTo('view')),
];
