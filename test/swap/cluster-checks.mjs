// What controllers of the cluster itself must do, whoever runs them.
import { spawnSync } from 'node:child_process';
import { eventually, expectThat, pod, workload } from './kube.mjs';

const ready = (count) => (object) => object.status?.readyReplicas === count;

async function endpoints(kube) {
  await kube.apply(workload('Deployment', 'web', { replicas: 2 }));
  await kube.run('expose deploy/web --port=80');
  const count = (items) =>
    items
      .flatMap((one) => one.endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false).length;
  await kube.reaches('endpoints/web', ({ subsets }) => subsets?.[0]?.addresses?.length === 2);
  await kube.reaches(
    'endpointslices -l kubernetes.io/service-name=web',
    (items) => count(items) === 2,
  );
  await kube.run('scale deploy/web --replicas=1');
  await kube.reaches('endpoints/web', ({ subsets }) => subsets?.[0]?.addresses?.length === 1);
  await kube.reaches(
    'endpointslices -l kubernetes.io/service-name=web',
    (items) => count(items) === 1,
  );
  await kube.run('delete svc web');
  await kube.gone('endpoints web');
  await kube.gone('endpointslices -l kubernetes.io/service-name=web');
}

async function mirroring(kube) {
  await kube.apply(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'out' },
      spec: { ports: [{ port: 80 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'out' },
      subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 80 }] }],
    },
  );
  await kube.reaches('endpointslices -l kubernetes.io/service-name=out', (items) =>
    items.some(({ endpoints }) => endpoints?.[0]?.addresses?.[0] === '192.0.2.7'),
  );
}

async function garbage(kube) {
  await kube.apply(workload('Deployment', 'web', { replicas: 1 }));
  await kube.reaches('deploy/web', ready(1));
  await kube.run('delete deploy web --cascade=orphan');
  const [set] = await kube.list('rs');
  expectThat(set && set.metadata.ownerReferences === undefined, 'the ReplicaSet is not orphaned');
  await kube.run('delete rs -l app=web --cascade=foreground');
  await kube.gone('pods -l app=web');
  await kube.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'left',
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'gone', uid: set.metadata.uid },
      ],
    },
  });
  await kube.gone('cm left');
}

async function namespaceDeletion(kube) {
  const name = `${kube.namespace}-x`;
  await kube.run(`create ns ${name}`);
  const inside = kube.in(name);
  await inside.apply(workload('Deployment', 'web', { replicas: 1 }), pod('alone'));
  await inside.run('create cm data');
  await inside.reaches('deploy/web', ready(1));
  await kube.run(`delete ns ${name} --wait=false`);
  await kube.gone(`ns ${name}`, 90_000);
}

async function accounts(kube) {
  await kube.reaches('sa/default', () => true);
  await kube.reaches('cm/kube-root-ca.crt', ({ data }) => data['ca.crt'].includes('CERTIFICATE'));
  await kube.run('delete sa default');
  await kube.reaches('sa/default', () => true);
}

async function budget(kube, { hasPolicyV1 }) {
  await kube.apply(workload('Deployment', 'web', { replicas: 2 }));
  await kube.reaches('deploy/web', ready(2));
  await kube.apply({
    apiVersion: hasPolicyV1 ? 'policy/v1' : 'policy/v1beta1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web' },
    spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
  });
  await kube.reaches(
    'pdb/web',
    ({ status }) => status?.currentHealthy === 2 && status.disruptionsAllowed === 0,
  );
  const [first] = await kube.list('pods -l app=web');
  const evict = () =>
    kube.attempt(
      [
        'create',
        '--raw',
        `/api/v1/namespaces/${kube.namespace}/pods/${first.metadata.name}/eviction`,
        '-f',
        '-',
      ],
      JSON.stringify({
        apiVersion: hasPolicyV1 ? 'policy/v1' : 'policy/v1beta1',
        kind: 'Eviction',
        metadata: { name: first.metadata.name },
      }),
    );
  const refused = await evict();
  expectThat(
    refused.code !== 0 && refused.stderr.includes('disruption budget'),
    refused.stderr || 'evicted',
  );
  await kube.run('scale deploy/web --replicas=3');
  await kube.reaches('pdb/web', ({ status }) => status?.disruptionsAllowed === 1);
  const allowed = await evict();
  expectThat(allowed.code === 0, allowed.stderr);
}

async function quota(kube) {
  await kube.apply({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'few' },
    spec: { hard: { pods: '1', 'count/configmaps': '3' } },
  });
  await kube.reaches('quota/few', ({ status }) => status?.used?.pods === '0');
  await kube.apply(pod('one'));
  const { code, stderr } = await kube.create(pod('two'));
  expectThat(code !== 0 && stderr.includes('exceeded quota: few'), stderr);
  await kube.reaches(
    'quota/few',
    ({ status }) => status.used.pods === '1' && status.used['count/configmaps'] === '1',
  );
  await kube.run('delete pod one');
  await kube.reaches('quota/few', ({ status }) => status.used.pods === '0');
}

async function aggregation(kube) {
  const { namespace: id } = kube;
  const role = (name, labels, more) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: `${id}-${name}`, labels },
    ...more,
  });
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
  const selector = { clusterRoleSelectors: [{ matchLabels: { into: id } }] };
  await kube.apply(
    role('part', { into: id }, { rules }),
    role('whole', {}, { aggregationRule: selector, rules: [] }),
  );
  await kube.reaches(`clusterrole/${id}-whole`, (one) => one.rules?.[0]?.resources?.[0] === 'pods');
  await kube.run(`delete clusterrole ${id}-part ${id}-whole`);
}

async function volumes(kube) {
  const { namespace: id } = kube;
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
        persistentVolumeReclaimPolicy: 'Retain',
      },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: { ...shared, resources: { requests: { storage: '1Gi' } } },
    },
  );
  await kube.reaches('pvc/data', ({ status }) => status?.phase === 'Bound', 60_000);
  await kube.run('delete pvc data');
  await kube.reaches(`pv/${id}`, ({ status }) => status?.phase === 'Released');
  await kube.run(`delete pv ${id}`);
}

async function certificates(kube) {
  const { namespace: id } = kube;
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const words = ['req', '-new', ...key, '-keyout', '/dev/null', '-subj', `/CN=${id}`];
  const { stdout } = spawnSync('openssl', words, { encoding: 'utf8' });
  await kube.apply({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: id },
    spec: {
      request: Buffer.from(stdout).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  });
  await kube.run(`certificate approve ${id}`);
  await kube.reaches(`csr/${id}`, ({ status }) => status?.certificate !== undefined);
  await kube.run(`delete csr ${id}`);
}

async function customResources(kube) {
  const { namespace: id } = kube;
  const group = `${id}.example.com`;
  await kube.apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `cars.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'cars', kind: 'Car' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      ],
    },
  });
  await kube.run(`wait --for=condition=Established crd/cars.${group} --timeout=30s`);
  const car = (name, owner) => ({
    apiVersion: `${group}/v1`,
    kind: 'Car',
    metadata: { name, ...(owner ? { ownerReferences: [owner] } : {}) },
  });
  await eventually(() => kube.apply(car('a')));
  const { metadata } = await kube.get(`cars.${group}/a`);
  await kube.apply(
    car('b', { apiVersion: `${group}/v1`, kind: 'Car', name: 'a', uid: metadata.uid }),
  );
  await kube.run(`delete cars.${group} a`);
  await kube.gone(`cars.${group} b`, 90_000);
  await kube.run(`delete crd cars.${group} --timeout=60s`);
}

export const clusterChecks = [
  { name: 'Service: Endpoints, EndpointSlices', run: endpoints },
  { name: 'Endpoints are mirrored', run: mirroring },
  { name: 'garbage: orphan, foreground, absent owner', run: garbage },
  { name: 'garbage: custom resources', run: customResources },
  { name: 'Namespace: deletion', run: namespaceDeletion },
  { name: 'ServiceAccount, root CA', run: accounts },
  { name: 'PodDisruptionBudget, eviction', run: budget },
  { name: 'ResourceQuota', run: quota },
  { name: 'ClusterRole: aggregation', run: aggregation },
  { name: 'PersistentVolume: bind, release', run: volumes },
  { name: 'CertificateSigningRequest: signed', run: certificates },
];
