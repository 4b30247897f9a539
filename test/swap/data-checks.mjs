// Two API servers over one etcd, in turn: what one has stored the other serves, of the kinds and versions that both know.
import { isDeepStrictEqual } from 'node:util';
import { Kube, podSpec, template, workload } from './kube.mjs';
import { emptyStand, ourApi, upstreamApi } from './stands.mjs';

const NS = 'data';
const meta = (name, more = {}) => ({ metadata: { name, labels: { from: 'swap' }, ...more } });
const one = (apiVersion, kind, fields = {}) => ({ apiVersion, kind, ...meta('x'), ...fields });

const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
const RBAC = 'rbac.authorization.k8s.io';
const service = { ports: [{ name: 'web', port: 80 }], selector: { app: 'x' } };
const backend = { service: { name: 'x', port: { number: 80 } } };
const webhook = {
  name: 'a.b.example.com',
  clientConfig: { url: 'https://127.0.0.1:1/x' },
  failurePolicy: 'Ignore',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  rules: [
    { apiGroups: ['none'], apiVersions: ['v1'], resources: ['none'], operations: ['CREATE'] },
  ],
};

/** What is stored in a version that 1.20 and 1.36 both know: resource -> object. */
const OBJECTS = {
  configmaps: one('v1', 'ConfigMap', { data: { a: 'b' }, binaryData: { c: 'AAE=' } }),
  secrets: one('v1', 'Secret', { type: 'Opaque', data: { a: 'Yg==' } }),
  services: one('v1', 'Service', { spec: service }),
  endpoints: {
    ...one('v1', 'Endpoints'),
    subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }],
  },
  serviceaccounts: one('v1', 'ServiceAccount'),
  pods: one('v1', 'Pod', { spec: podSpec({ nodeName: 'nowhere' }) }),
  podtemplates: one('v1', 'PodTemplate', { template: template({ app: 'x' }) }),
  replicationcontrollers: one('v1', 'ReplicationController', {
    spec: { replicas: 0, selector: { app: 'x' }, template: template({ app: 'x' }) },
  }),
  limitranges: one('v1', 'LimitRange', { spec: { limits: [{ type: 'Pod', max: { cpu: '2' } }] } }),
  resourcequotas: one('v1', 'ResourceQuota', { spec: { hard: { pods: '9' } } }),
  persistentvolumeclaims: one('v1', 'PersistentVolumeClaim', {
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'x',
      resources: { requests: { storage: '1Gi' } },
    },
  }),
  persistentvolumes: one('v1', 'PersistentVolume', {
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      hostPath: { path: '/tmp' },
      storageClassName: 'x',
    },
  }),
  nodes: one('v1', 'Node', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
  'deployments.apps': { ...workload('Deployment', 'x', { replicas: 0 }), ...meta('x') },
  'replicasets.apps': { ...workload('ReplicaSet', 'x', { replicas: 0 }), ...meta('x') },
  'statefulsets.apps': {
    ...workload('StatefulSet', 'x', { replicas: 0, serviceName: 'x' }),
    ...meta('x'),
  },
  'daemonsets.apps': { ...workload('DaemonSet', 'x', {}), ...meta('x') },
  'controllerrevisions.apps': one('apps/v1', 'ControllerRevision', { revision: 1, data: { a: 1 } }),
  'jobs.batch': one('batch/v1', 'Job', {
    spec: { template: { spec: podSpec({ restartPolicy: 'Never' }) } },
  }),
  'ingresses.networking.k8s.io': one('networking.k8s.io/v1', 'Ingress', {
    spec: { defaultBackend: backend },
  }),
  'ingressclasses.networking.k8s.io': one('networking.k8s.io/v1', 'IngressClass', {
    spec: { controller: 'a.b/c' },
  }),
  'networkpolicies.networking.k8s.io': one('networking.k8s.io/v1', 'NetworkPolicy', {
    spec: { podSelector: {} },
  }),
  [`roles.${RBAC}`]: one(`${RBAC}/v1`, 'Role', { rules }),
  [`clusterroles.${RBAC}`]: one(`${RBAC}/v1`, 'ClusterRole', { rules }),
  [`rolebindings.${RBAC}`]: one(`${RBAC}/v1`, 'RoleBinding', {
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'x' },
    subjects: [{ kind: 'ServiceAccount', name: 'x', namespace: NS }],
  }),
  [`clusterrolebindings.${RBAC}`]: one(`${RBAC}/v1`, 'ClusterRoleBinding', {
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'x' },
    subjects: [{ apiGroup: RBAC, kind: 'Group', name: 'g' }],
  }),
  'leases.coordination.k8s.io': one('coordination.k8s.io/v1', 'Lease', {
    spec: { holderIdentity: 'a', renewTime: '2026-01-01T00:00:00.000001Z' },
  }),
  'priorityclasses.scheduling.k8s.io': {
    ...one('scheduling.k8s.io/v1', 'PriorityClass'),
    value: 7,
  },
  'storageclasses.storage.k8s.io': {
    ...one('storage.k8s.io/v1', 'StorageClass'),
    provisioner: 'a.b/c',
  },
  'csidrivers.storage.k8s.io': one('storage.k8s.io/v1', 'CSIDriver', {
    spec: { attachRequired: false },
  }),
  'csinodes.storage.k8s.io': one('storage.k8s.io/v1', 'CSINode', { spec: { drivers: [] } }),
  'volumeattachments.storage.k8s.io': one('storage.k8s.io/v1', 'VolumeAttachment', {
    spec: { attacher: 'a.b', nodeName: 'x', source: { persistentVolumeName: 'x' } },
  }),
  'runtimeclasses.node.k8s.io': { ...one('node.k8s.io/v1', 'RuntimeClass'), handler: 'h' },
  'validatingwebhookconfigurations.admissionregistration.k8s.io': {
    ...one('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'),
    webhooks: [webhook],
  },
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': {
    ...one('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
    webhooks: [webhook],
  },
};

/** What Go writes of a value that is not there. */
function isNothing(value) {
  if (value === null || value === undefined || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.values(value).every(isNothing);
}

/** Paths at which `whole` does not say what `part` says. */
function differences(part, whole, path = '') {
  if (isNothing(part) && isNothing(whole)) return [];
  if (Array.isArray(part) && Array.isArray(whole) && part.length === whole.length)
    return part.flatMap((item, i) => differences(item, whole[i], `${path}[${i}]`));
  const areObjects = [part, whole].every((one) => typeof one === 'object' && one !== null);
  if (areObjects && !Array.isArray(part))
    return Object.entries(part).flatMap(([name, value]) =>
      differences(value, whole[name], `${path}.${name}`),
    );
  if (isDeepStrictEqual(part, whole)) return [];
  return [`${path}: ${JSON.stringify(part)} became ${JSON.stringify(whole)}`];
}

/** Written by 1.20 when it is asked, not stored. */
const OF_UPSTREAM = 'deprecated.daemonset.template.generation';

/** What a client sees, but for what each server keeps for itself. */
function shown({ metadata, ...object }) {
  const { managedFields: _fields, resourceVersion: _version, selfLink: _link, ...rest } = metadata;
  const { [OF_UPSTREAM]: _generation, ...annotations } = rest.annotations ?? {};
  return { ...object, metadata: { ...rest, annotations } };
}

async function readAll(kube) {
  const found = {};
  for (const resource of Object.keys(OBJECTS))
    found[resource] = await kube.get(`${resource}/x`).catch((error) => error);
  return found;
}

async function writeAll(kube, results) {
  await kube.run(`create ns ${NS}`).catch(() => undefined);
  for (const [resource, object] of Object.entries(OBJECTS)) {
    const { code, stderr } = await kube.create(object);
    if (code !== 0)
      results.push({ name: `${resource} is written`, outcome: 'FAILED', text: stderr });
  }
}

/** The smaller view (an older server's) must be in the larger one. */
function compare(title, before, after, results) {
  for (const resource of Object.keys(OBJECTS)) {
    const [first, second] = [before[resource], after[resource]];
    const error = [first, second].find((value) => value instanceof Error);
    const problems = error ? [error.message] : differences(shown(second), shown(first));
    results.push({
      name: `${title}: ${resource}`,
      outcome: problems.length === 0 ? 'ok' : 'FAILED',
      text: problems.join('; '),
    });
  }
}

/** The results of both directions. */
export async function checkData(folder) {
  const results = [];
  const stand = await emptyStand(folder);
  try {
    const kube = new Kube(stand.kubeconfig, NS);
    await ourApi(stand);
    await writeAll(kube, results);
    const ours = await readAll(kube);
    await stand.stop('kube-apiserver');
    await upstreamApi(stand);
    const theirs = await readAll(kube);
    compare('ours, read by upstream', ours, theirs, results);
    for (const resource of Object.keys(OBJECTS))
      await kube.attempt(`label ${resource} x by=upstream --overwrite`);
    const labelled = await readAll(kube);
    await stand.stop('kube-apiserver');
    await ourApi(stand);
    const back = await readAll(kube);
    // Ours says more than upstream of 1.20, and nothing else.
    compare("upstream's, read by ours", back, labelled, results);
    return results;
  } finally {
    await stand.close();
  }
}
