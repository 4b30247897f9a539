// What a scheduler must do, whoever runs it.
import { container, expectThat, pod, podSpec, workload } from './kube.mjs';

const bound = ({ spec }) => spec.nodeName !== undefined;
const unschedulable = ({ status }) =>
  (status?.conditions ?? []).find(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable',
  );

const asking = (requests, more = {}) => ({
  containers: [{ ...container(), resources: { requests } }],
  ...more,
});

const isControlPlane = ({ key }) => key.startsWith('node-role.kubernetes.io/');
const free = ({ spec }) => !(spec.taints ?? []).some(isControlPlane);
const hostnames = async (kube) =>
  (await kube.list('nodes')).filter(free).map(({ metadata }) => metadata.name);

async function explained(kube, object, pattern) {
  await kube.apply(object);
  const found = await kube.reaches(
    `pod/${object.metadata.name}`,
    (one) => unschedulable(one) !== undefined,
  );
  const { message } = unschedulable(found);
  expectThat(pattern.test(message), message);
  const events = await kube.reaches(
    `events --field-selector=involvedObject.name=${object.metadata.name}`,
    (items) => items.some(({ reason }) => reason === 'FailedScheduling'),
  );
  const told = events.find(({ reason }) => reason === 'FailedScheduling').message;
  expectThat(pattern.test(told), told);
}

async function insufficient(kube) {
  const count = (await kube.list('nodes')).length;
  // The order of reasons is that of their text.
  const want = new RegExp(`^0/${count} nodes are available: .*\\d+ Insufficient cpu`);
  await explained(kube, pod('big', asking({ cpu: '10000' })), want);
}

async function selector(kube) {
  const [node] = await hostnames(kube);
  await kube.apply(pod('here', { nodeSelector: { 'kubernetes.io/hostname': node } }));
  const { spec } = await kube.reaches('pod/here', bound);
  expectThat(spec.nodeName === node, spec.nodeName);
  const want = /node\(s\) didn't match (node selector|Pod's node affinity(\/selector)?)/;
  await explained(kube, pod('nowhere', { nodeSelector: { no: 'where' } }), want);
}

async function taints(kube) {
  const [node] = await hostnames(kube);
  const key = kube.namespace;
  const here = { nodeSelector: { 'kubernetes.io/hostname': node } };
  await kube.run(`taint node ${node} ${key}=x:NoSchedule`);
  try {
    await explained(kube, pod('refused', here), /taint/);
    await kube.apply(pod('tolerant', { ...here, tolerations: [{ key, operator: 'Exists' }] }));
    await kube.reaches('pod/tolerant', bound);
  } finally {
    await kube.run(`taint node ${node} ${key}-`);
  }
  await kube.reaches('pod/refused', bound);
}

async function antiAffinity(kube) {
  const nodes = await hostnames(kube);
  const term = {
    labelSelector: { matchLabels: { app: 'far' } },
    topologyKey: 'kubernetes.io/hostname',
  };
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  await kube.apply(workload('Deployment', 'far', { replicas: nodes.length + 1 }, { affinity }));
  await kube.reaches('deploy/far', ({ status }) => status?.readyReplicas === nodes.length);
  const pods = await kube.list('pods -l app=far');
  const placed = pods.filter(bound).map(({ spec }) => spec.nodeName);
  expectThat(new Set(placed).size === nodes.length, placed);
  const { message } = unschedulable(pods.find((one) => !bound(one)));
  expectThat(/anti-?affinity/.test(message), message);
}

async function spread(kube) {
  const nodes = await hostnames(kube);
  const constraint = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 'even' } },
  };
  await kube.apply(
    workload(
      'Deployment',
      'even',
      { replicas: nodes.length * 2 },
      {
        topologySpreadConstraints: [constraint],
        tolerations: [{ operator: 'Exists' }],
      },
    ),
  );
  const all = (await kube.list('nodes')).length;
  await kube.reaches('deploy/even', ({ status }) => status?.readyReplicas === nodes.length * 2);
  const counts = new Map();
  for (const { spec } of await kube.list('pods -l app=even'))
    counts.set(spec.nodeName, (counts.get(spec.nodeName) ?? 0) + 1);
  const skew =
    Math.max(...counts.values()) - (counts.size < all ? 0 : Math.min(...counts.values()));
  expectThat(skew <= 1, JSON.stringify([...counts]));
}

async function preemption(kube) {
  const [, node] = await hostnames(kube);
  const { namespace: id } = kube;
  const { status } = await kube.get(`node/${node}`);
  const cpu = `${Math.floor(Number(status.allocatable.cpu) * 600)}m`;
  const here = { nodeSelector: { 'kubernetes.io/hostname': node } };
  await kube.apply({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: id },
    value: 1000,
  });
  await kube.apply(pod('low', asking({ cpu }, here)));
  await kube.reaches('pod/low', bound);
  await kube.apply(pod('high', asking({ cpu }, { ...here, priorityClassName: id })));
  await kube.reaches('pod/high', bound);
  await kube.gone('pod low');
  await kube.run(`delete priorityclass ${id}`);
}

async function waitsForVolumes(kube) {
  const { namespace: id } = kube;
  const [node] = await hostnames(kube);
  await kube.apply({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: id },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  });
  const term = {
    matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }],
  };
  const shared = { accessModes: ['ReadWriteOnce'], storageClassName: id };
  await kube.apply(
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: id },
      spec: {
        ...shared,
        capacity: { storage: '1Gi' },
        hostPath: { path: '/tmp' },
        nodeAffinity: { required: { nodeSelectorTerms: [term] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: { ...shared, resources: { requests: { storage: '1Gi' } } },
    },
  );
  await kube.apply(
    pod('user', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] }),
  );
  const { spec } = await kube.reaches('pod/user', bound);
  expectThat(spec.nodeName === node, `${spec.nodeName}, not ${node}`);
  await kube.reaches('pvc/data', ({ status }) => status.phase === 'Bound');
  await kube.run('delete pod user --grace-period=1');
  await kube.run('delete pvc data');
  await kube.run(`delete pv/${id} sc/${id}`);
}

async function events(kube) {
  await kube.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec: podSpec() });
  await kube.reaches('pod/one', bound);
  await kube.reaches('events --field-selector=involvedObject.name=one', (items) =>
    items.some(
      ({ reason, message }) =>
        reason === 'Scheduled' && message.startsWith('Successfully assigned '),
    ),
  );
}

export const schedulingChecks = [
  { name: 'scheduling: event', run: events },
  { name: 'scheduling: Insufficient cpu', run: insufficient },
  { name: 'scheduling: node selector', run: selector },
  { name: 'scheduling: taints', run: taints, alone: true },
  { name: 'scheduling: anti-affinity', run: antiAffinity },
  { name: 'scheduling: spread', run: spread },
  { name: 'scheduling: preemption', run: preemption },
  { name: 'scheduling: volumes that wait', run: waitsForVolumes },
];
