import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { evictionV1beta1, removedKinds } from '@orrery/api';
import { useEtcd } from '@orrery/testkit';
import { protobuf } from '../src/negotiation/schemas.js';
import { metadataOf, namesOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const NS = 'namespaces/default';
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const FLAGS = ['--disable-admission-plugins=ServiceAccount,DefaultIngressClass'];

let api: Replica;
let plain: Replica;

beforeAll(async () => {
  const shared = { etcd: etcd.endpoints, keyspace: etcd.keyspace };
  // In this order: a server takes away the APIServices of what it does not serve.
  plain = await startReplica({ ...shared, flags: FLAGS });
  api = await startReplica({ ...shared, flags: [...FLAGS, '--serve-removed-apis'] });
}, 60_000);

afterAll(async () => {
  await Promise.all([api.close(), plain.close()]);
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What etcd has under a key, through its own gateway. */
async function stored(key: string): Promise<unknown> {
  const url = new URL('/v3/kv/range', etcd.endpoints[0]);
  const body = JSON.stringify({ key: base64(`${etcd.keyspace}${key}`) });
  const answer = (await (await fetch(url, { method: 'POST', body })).json()) as {
    kvs?: { value: string }[];
  };
  const [found] = answer.kvs ?? [];
  return JSON.parse(Buffer.from(found?.value ?? '', 'base64').toString() || 'null');
}

/** Puts into etcd what another API server would. */
async function store(key: string, object: Json): Promise<void> {
  const url = new URL('/v3/kv/put', etcd.endpoints[0]);
  const value = base64(JSON.stringify(object));
  const body = JSON.stringify({ key: base64(`${etcd.keyspace}${key}`), value });
  await fetch(url, { method: 'POST', body });
}

const pathOf = ({ group, version, plural }: (typeof removedKinds)[number]): string =>
  `/apis/${group}/${version}/${plural}`;

const warningOf = ({ headers }: Answer): string => String(headers['warning'] ?? '');

interface Row {
  readonly name: string;
  /** Below /apis/. */
  readonly old: string;
  readonly current: string;
  readonly object: Json;
  /** What the current version shows. */
  readonly want: Json;
  /** A strategic merge patch in the old shape, and what the current version shows then. */
  readonly patch: Json;
  readonly patched: Json;
}

const template = {
  metadata: { labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};
const PDB = 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match';

const ROWS: readonly Row[] = [
  {
    name: 'CronJob',
    old: `batch/v1beta1/${NS}/cronjobs`,
    current: `batch/v1/${NS}/cronjobs`,
    object: {
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
      },
    },
    want: { spec: { concurrencyPolicy: 'Allow', suspend: false } },
    patch: { spec: { suspend: true } },
    patched: { spec: { suspend: true } },
  },
  {
    name: 'PodDisruptionBudget',
    old: `policy/v1beta1/${NS}/poddisruptionbudgets`,
    current: `policy/v1/${NS}/poddisruptionbudgets`,
    object: { spec: { minAvailable: 1, selector: {} } },
    want: { spec: { selector: { matchExpressions: [{ key: PDB, operator: 'Exists' }] } } },
    patch: { spec: { minAvailable: 2 } },
    patched: { spec: { minAvailable: 2 } },
  },
  {
    name: 'Ingress',
    old: `extensions/v1beta1/${NS}/ingresses`,
    current: `networking.k8s.io/v1/${NS}/ingresses`,
    object: { spec: { backend: { serviceName: 'a', servicePort: 80 } } },
    want: { spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } } },
    patch: { spec: { backend: { servicePort: 'web' } } },
    patched: { spec: { defaultBackend: { service: { name: 'a', port: { name: 'web' } } } } },
  },
  {
    name: 'EndpointSlice',
    old: `discovery.k8s.io/v1beta1/${NS}/endpointslices`,
    current: `discovery.k8s.io/v1/${NS}/endpointslices`,
    object: {
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          topology: { 'topology.kubernetes.io/zone': 'z', 'kubernetes.io/hostname': 'n' },
        },
      ],
    },
    want: { endpoints: [{ addresses: ['10.0.0.1'], zone: 'z', nodeName: 'n' }] },
    patch: { ports: [{ name: 'web', port: 80 }] },
    patched: { ports: [{ name: 'web', port: 80, protocol: 'TCP' }] },
  },
  {
    name: 'HorizontalPodAutoscaler',
    old: `autoscaling/v2beta1/${NS}/horizontalpodautoscalers`,
    current: `autoscaling/v2/${NS}/horizontalpodautoscalers`,
    object: {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'a', apiVersion: 'apps/v1' },
        maxReplicas: 3,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', targetAverageUtilization: 7 } }],
      },
    },
    want: {
      spec: { metrics: [{ resource: { target: { type: 'Utilization', averageUtilization: 7 } } }] },
    },
    patch: { spec: { maxReplicas: 9 } },
    patched: { spec: { maxReplicas: 9, metrics: [{ resource: { name: 'cpu' } }] } },
  },
  {
    name: 'Deployment',
    old: `apps/v1beta1/${NS}/deployments`,
    current: `apps/v1/${NS}/deployments`,
    object: { spec: { template } },
    want: { spec: { selector: { matchLabels: { app: 'a' } }, revisionHistoryLimit: 2 } },
    patch: { spec: { template: { spec: { containers: [{ name: 'c', image: 'j' }] } } } },
    patched: {
      spec: { template: { spec: { containers: [{ image: 'j' }] } } },
    },
  },
  {
    name: 'Event',
    old: `events.k8s.io/v1beta1/${NS}/events`,
    current: `events.k8s.io/v1/${NS}/events`,
    object: {
      regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
      note: 'said',
      deprecatedCount: 1,
    },
    want: { note: 'said', deprecatedCount: 1 },
    patch: { note: 'again' },
    patched: { note: 'again' },
  },
  {
    name: 'Lease',
    old: `coordination.k8s.io/v1beta1/${NS}/leases`,
    current: `coordination.k8s.io/v1/${NS}/leases`,
    object: { spec: { holderIdentity: 'a' } },
    want: { spec: { holderIdentity: 'a' } },
    patch: { spec: { holderIdentity: 'b' } },
    patched: { spec: { holderIdentity: 'b' } },
  },
  {
    name: 'ClusterRoleBinding',
    old: 'rbac.authorization.k8s.io/v1alpha1/clusterrolebindings',
    current: 'rbac.authorization.k8s.io/v1/clusterrolebindings',
    object: {
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'User', name: '*' }],
    },
    want: { subjects: [{ kind: 'Group', name: 'system:authenticated' }] },
    patch: { metadata: { labels: { a: 'b' } } },
    patched: { metadata: { labels: { a: 'b' } } },
  },
  {
    name: 'StorageClass',
    old: 'storage.k8s.io/v1beta1/storageclasses',
    current: 'storage.k8s.io/v1/storageclasses',
    object: { provisioner: 'a/b' },
    want: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
    patch: { allowVolumeExpansion: true },
    patched: { allowVolumeExpansion: true },
  },
  {
    name: 'PriorityLevelConfiguration',
    old: 'flowcontrol.apiserver.k8s.io/v1beta1/prioritylevelconfigurations',
    current: 'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
    object: {
      spec: {
        type: 'Limited',
        limited: { assuredConcurrencyShares: 5, limitResponse: { type: 'Reject' } },
      },
    },
    want: { spec: { limited: { nominalConcurrencyShares: 5 } } },
    patch: { spec: { limited: { assuredConcurrencyShares: 6 } } },
    patched: { spec: { limited: { nominalConcurrencyShares: 6 } } },
  },
];

describe.each(ROWS)('an old $name', ({ old, current, object, want, patch, patched }) => {
  const [oldPath, path] = [`/apis/${old}`, `/apis/${current}`];
  const [group = '', version = ''] = old.split('/');
  const apiVersion = `${group}/${version}`;

  it('is one object with the current one, in every verb', async () => {
    const watch = await api.watch(`${oldPath}?watch=true`);
    const made = await api.post(oldPath, {
      ...object,
      metadata: { name: 'web', ...(object['metadata'] as Json) },
    });
    expect([made.status, made.json['apiVersion']]).toEqual([201, apiVersion]);
    expect((await plain.ask(`${path}/web`)).json).toMatchObject(want);

    const got = await api.ask(`${oldPath}/web`);
    expect(got.json).toMatchObject(object['spec'] ? { apiVersion, spec: {} } : { apiVersion });
    const put = { ...got.json, metadata: { ...metadataOf(got), annotations: { put: 'yes' } } };
    const updated = await api.ask(`${oldPath}/web`, { method: 'PUT', body: put });
    expect([updated.status, metadataOf(updated)['annotations']]).toEqual([200, { put: 'yes' }]);
    expect((await plain.ask(`${path}/web`)).json).toMatchObject(want);

    expect((await api.patch(`${oldPath}/web`, 'strategic-merge-patch+json', patch)).status).toBe(
      200,
    );
    expect((await plain.ask(`${path}/web`)).json).toMatchObject(patched);
    expect(namesOf(await api.ask(oldPath))).toContain('web');
    const table = await api.ask(oldPath, { headers: TABLE });
    expect((table.json['rows'] as unknown[]).length).toBeGreaterThan(0);

    expect(
      (await api.ask(`${oldPath}/web?propagationPolicy=Background`, { method: 'DELETE' })).status,
    ).toBe(200);
    expect((await plain.ask(`${path}/web`)).status).toBe(404);
    const seen = watch
      .events()
      .filter(({ object: one }) => metadataOf({ json: one })['name'] === 'web');
    expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED']);
    expect(seen.every(({ object: one }) => one['apiVersion'] === apiVersion)).toBe(true);
    watch.response.destroy();
  });

  it('is applied, and read and written as protobuf', async () => {
    const kind = removedKinds.find(
      (one) =>
        oldPath.startsWith(`/apis/${one.group}/${one.version}/`) &&
        oldPath.endsWith(`/${one.plural}`),
    );
    const body = { ...object, apiVersion, kind: kind?.kind ?? '', metadata: { name: 'applied' } };
    const applied = await api.patch(`${oldPath}/applied?fieldManager=a`, 'apply-patch+yaml', body);
    expect([applied.status, applied.json['apiVersion']]).toEqual([201, apiVersion]);
    const fields = metadataOf(applied)['managedFields'] as Json[];
    expect(fields).toMatchObject([{ manager: 'a', operation: 'Apply', apiVersion }]);

    const answer = await api.ask(`${oldPath}/applied`, { headers: { accept: PROTOBUF } });
    const { object: decoded } = protobuf().decode(answer.bytes);
    expect(decoded).toMatchObject({ apiVersion, metadata: { name: 'applied' } });
    const sent = { ...decoded, metadata: { name: 'sent' } };
    const headers = { 'content-type': PROTOBUF };
    const posted = await api.ask(oldPath, {
      method: 'POST',
      body: protobuf().encode(sent as never),
      headers,
    });
    expect(posted.status).toBe(201);
    expect((await plain.ask(`${path}/sent`)).json).toMatchObject(want);
  });
});

describe('removed versions', () => {
  it.each(removedKinds.map((kind) => ({ path: pathOf(kind), kind })))(
    '$path is listed with its warning, and not without the flag',
    async ({ path, kind }) => {
      const { group, version } = kind;
      const list = await api.ask(path);
      expect(list.json).toMatchObject({
        kind: `${kind.kind}List`,
        apiVersion: `${group}/${version}`,
      });
      expect(warningOf(list)).toBe(kind.deprecation ? `299 - "${kind.deprecation}"` : '');
      expect((await plain.ask(path)).status).toBe(404);
      expect((await plain.ask(`/apis/${group}/${version}`)).status).toBe(404);
      const discovered = await api.ask(`/apis/${group}/${version}`);
      expect(discovered.json['resources']).toContainEqual(
        expect.objectContaining({ name: kind.plural, kind: kind.kind }),
      );
      const openApi = await api.ask(`/openapi/v3/apis/${group}/${version}`);
      expect(openApi.json['components']).toHaveProperty(['schemas', kind.schema]);
    },
  );

  it('come behind the current ones in discovery, and extensions behind all groups', async () => {
    const groups = (await api.ask('/apis')).json['groups'] as Json[];
    const policy = groups.find(({ name }) => name === 'policy');
    expect(policy).toMatchObject({
      versions: [{ version: 'v1' }, { version: 'v1beta1' }],
      preferredVersion: { version: 'v1' },
    });
    expect(groups.map(({ name }) => name).indexOf('extensions')).toBeGreaterThan(
      groups.map(({ name }) => name).indexOf('flowcontrol.apiserver.k8s.io'),
    );
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const aggregated = (await api.ask('/apis', { headers: { accept } })).json['items'] as Json[];
    const found = aggregated.find((one) => metadataOf({ json: one })['name'] === 'policy');
    expect(found?.['versions']).toMatchObject([{ version: 'v1' }, { version: 'v1beta1' }]);
    const names = namesOf(await api.ask('/apis/apiregistration.k8s.io/v1/apiservices'));
    expect(names).toContain('v1beta1.extensions');
  });

  it('are in OpenAPI v2, and only there where they are served', async () => {
    const of = async (server: Replica): Promise<Json> =>
      (await server.ask('/openapi/v2')).json['paths'] as Json;
    const path = '/apis/extensions/v1beta1/namespaces/{namespace}/ingresses/{name}';
    expect(Object.keys(await of(api))).toContain(path);
    expect(Object.keys(await of(plain))).not.toContain(path);
  });

  it('are stored as the current ones', async () => {
    const path = `/apis/extensions/v1beta1/${NS}/ingresses`;
    await api.post(path, {
      metadata: { name: 'stored' },
      spec: { backend: { serviceName: 'a', servicePort: 1 } },
    });
    expect(await stored('ingress/default/stored')).toMatchObject({
      apiVersion: 'networking.k8s.io/v1',
      spec: { defaultBackend: { service: { name: 'a', port: { number: 1 } } } },
    });
  });
});

describe('what is answered and not stored', () => {
  it('SubjectAccessReview calls the groups of a user `group`', async () => {
    const answer = await api.post('/apis/authorization.k8s.io/v1beta1/subjectaccessreviews', {
      spec: { user: 'u', group: ['g'], resourceAttributes: { verb: 'get', resource: 'pods' } },
    });
    expect(answer.json).toMatchObject({
      apiVersion: 'authorization.k8s.io/v1beta1',
      spec: { user: 'u', group: ['g'] },
      status: { allowed: true },
    });
    expect(warningOf(answer)).toContain('use authorization.k8s.io/v1 SubjectAccessReview');
  });

  it('TokenReview', async () => {
    const path = '/apis/authentication.k8s.io/v1beta1/tokenreviews';
    const answer = await api.post(path, { spec: { token: 'x' } });
    expect(answer.json).toMatchObject({ apiVersion: 'authentication.k8s.io/v1beta1', status: {} });
    expect((await plain.post(path, { spec: { token: 'x' } })).status).toBe(404);
  });

  it('an Eviction of policy/v1beta1 is taken by every server', async () => {
    const pod = { metadata: { name: 'p' }, spec: template.spec };
    expect((await plain.post(`/api/v1/${NS}/pods`, pod)).status).toBe(201);
    const { group, version, kind } = evictionV1beta1;
    const body = { apiVersion: `${group}/${version}`, kind, metadata: { name: 'p' } };
    expect((await plain.post(`/api/v1/${NS}/pods/p/eviction`, body)).status).toBe(201);
  });
});

describe('rules for old versions', () => {
  it('roles of v1beta1 cannot grant more than their author holds', async () => {
    const server = await startReplica({
      etcd: etcd.endpoints,
      keyspace: etcd.keyspace,
      flags: [...FLAGS, '--serve-removed-apis', '--authorization-mode=RBAC', '--anonymous-auth'],
    });
    try {
      const bind = { metadata: { name: 'anon' }, roleRef: { kind: 'ClusterRole', name: 'anon' } };
      const rbac = '/apis/rbac.authorization.k8s.io/v1';
      await plain.post(`${rbac}/clusterroles`, {
        metadata: { name: 'anon' },
        rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], verbs: ['create'] }],
      });
      await plain.post(`${rbac}/clusterrolebindings`, {
        ...bind,
        roleRef: { ...bind.roleRef, apiGroup: 'rbac.authorization.k8s.io' },
        subjects: [
          { kind: 'User', name: 'system:anonymous', apiGroup: 'rbac.authorization.k8s.io' },
        ],
      });
      const role = {
        metadata: { name: 'all' },
        rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
      };
      for (const version of ['v1', 'v1beta1', 'v1alpha1']) {
        const path = `/apis/rbac.authorization.k8s.io/${version}/clusterroles`;
        const answer = await server.post(path, role);
        expect([version, answer.status, answer.text.includes('attempting to grant')]).toEqual([
          version,
          403,
          true,
        ]);
      }
    } finally {
      await server.close();
    }
  });
});

describe('what another API server has stored in an older version', () => {
  const path = `/apis/networking.k8s.io/v1/${NS}/ingresses`;
  const foreign = {
    kind: 'Ingress',
    apiVersion: 'networking.k8s.io/v1beta1',
    metadata: { name: 'foreign', namespace: 'default', uid: 'u' },
    spec: {
      backend: { serviceName: 'a', servicePort: 80 },
      rules: [
        { http: { paths: [{ path: '/', backend: { serviceName: 'b', servicePort: 'c' } }] } },
      ],
    },
  };
  const current = {
    apiVersion: 'networking.k8s.io/v1',
    spec: {
      defaultBackend: { service: { name: 'a', port: { number: 80 } } },
      rules: [{ http: { paths: [{ path: '/', pathType: 'ImplementationSpecific' }] } }],
    },
  };

  it('is served in the current version, and stored in it with the next write', async () => {
    const watch = await plain.watch(`${path}?watch=true&fieldSelector=metadata.name%3Dforeign`);
    await store('ingress/default/foreign', foreign);
    expect((await plain.ask(`${path}/foreign?resourceVersion=`)).json).toMatchObject(current);
    const items = (await plain.ask(path)).json['items'] as Json[];
    const listed = items.find((one) => metadataOf({ json: one })['name'] === 'foreign');
    expect(listed).toMatchObject({ spec: current.spec });
    const patch = { metadata: { labels: { a: 'b' } } };
    const patched = await plain.patch(`${path}/foreign`, 'merge-patch+json', patch);
    expect(patched.json).toMatchObject({ ...current, ...patch });
    expect(await stored('ingress/default/foreign')).toMatchObject({ ...current, ...patch });
    expect(watch.events().map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED']);
    expect(watch.events()[0]?.object).toMatchObject(current);
    watch.response.destroy();
  });
});
