import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { protobuf } from '../src/negotiation/schemas.js';
import { metadataOf, namesOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const PODS = '/api/v1/namespaces/default/pods';

let api: Replica;

beforeAll(async () => {
  const flags = ['--disable-admission-plugins=ServiceAccount'];
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags });
}, 60_000);

afterAll(async () => {
  await api.close();
});

const deployment = (name: string): Json => ({
  metadata: { name, labels: { app: name } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }] }] },
    },
  },
});

const pod = (name: string, more: Json = {}): Json => ({
  metadata: { name, labels: { app: 'x' } },
  spec: { containers: [{ name: 'a', image: 'a:1' }], ...more },
});

const remove = (path: string, body: unknown): Promise<Answer> =>
  api.ask(path, { method: 'DELETE', body });

function containersOf({ json }: Answer): Json[] {
  const { template } = json['spec'] as { template: { spec: { containers: Json[] } } };
  return template.spec.containers;
}

describe('patches', () => {
  it('merge lists by their key when strategic, and replace them when merged', async () => {
    await api.post(DEPLOYMENTS, deployment('patched'));
    const path = `${DEPLOYMENTS}/patched`;
    const containers = [{ name: 'b', image: 'b:1' }];
    const body = { spec: { template: { spec: { containers } } } };
    const strategic = await api.patch(path, 'strategic-merge-patch+json', body);
    expect(
      containersOf(strategic)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['a', 'b']);
    expect(metadataOf(strategic)['generation']).toBe(2);
    const merged = await api.patch(path, 'merge-patch+json', body);
    expect(containersOf(merged).map(({ name }) => name)).toEqual(['b']);
  });

  it('apply JSON patches whole or not at all', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'steps' }, data: { a: '1' } });
    const path = `${CONFIG_MAPS}/steps`;
    const failed = await api.patch(path, 'json-patch+json', [
      { op: 'add', path: '/data/b', value: '2' },
      { op: 'test', path: '/data/a', value: 'other' },
    ]);
    expect(failed.json).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: 'the server rejected our request due to an error in our request',
    });
    expect((await api.ask(path)).json['data']).toEqual({ a: '1' });
    const no = await api.patch(path, 'json-patch+json', { op: 'add' });
    expect([no.status, no.json['reason']]).toEqual([400, 'BadRequest']);
    const unknown = await api.patch(path, 'unheard-of', {});
    expect([unknown.status, unknown.json['reason']]).toEqual([415, 'UnsupportedMediaType']);
  });
});

describe('server-side apply', () => {
  const path = `${CONFIG_MAPS}/applied`;
  const apply = (manager: string, data: Json, query = ''): Promise<Answer> =>
    api.ask(`${path}?fieldManager=${manager}${query}`, {
      method: 'PATCH',
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data },
      headers: { 'content-type': 'application/apply-patch+yaml' },
    });

  it('creates, owns, conflicts, is forced and gives up what is no longer named', async () => {
    const made = await apply('one', { a: '1', b: '1' });
    expect(made.status).toBe(201);
    expect(metadataOf(made)['managedFields']).toMatchObject([
      { manager: 'one', operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } } },
    ]);
    const conflict = await apply('two', { a: '2' });
    expect(conflict.json).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.a' }] },
    });
    const forced = await apply('two', { a: '2' }, '&force=true');
    expect(forced.json['data']).toEqual({ a: '2', b: '1' });
    const less = await apply('one', {});
    expect(less.json['data']).toEqual({ a: '2' });
  });

  it('refuses what its schema does not declare, and entries of owners', async () => {
    const send = (body: Json): Promise<Answer> =>
      api.ask(`${path}?fieldManager=one`, {
        method: 'PATCH',
        body: { apiVersion: 'v1', kind: 'ConfigMap', ...body },
        headers: { 'content-type': 'application/apply-patch+yaml' },
      });
    const unknown = await send({ metadata: { name: 'applied' }, bogus: 1 });
    expect(unknown.json).toMatchObject({
      code: 500,
      message:
        'failed to create typed patch object (/applied; /v1, Kind=ConfigMap): .bogus: field not declared in schema',
    });
    const owned = await send({ metadata: { name: 'applied', managedFields: [] } });
    expect(owned.json).toMatchObject({
      code: 400,
      message: 'metadata.managedFields must be nil',
    });
    const stale = await send({ metadata: { name: 'applied', resourceVersion: '1' } });
    expect(stale.json).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  it('wants to know who applies', async () => {
    const { json } = await apply('', {});
    expect(json).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(json['message']).toContain('fieldManager: Required value: is required for apply patch');
  });
});

describe('field validation', () => {
  const body = { metadata: { name: 'odd' }, bogus: 1 };

  it('warns unless told otherwise', async () => {
    const warned = await api.post(`${CONFIG_MAPS}?dryRun=All`, body);
    expect([warned.status, warned.headers['warning']]).toEqual([
      201,
      '299 - "unknown field \\"bogus\\""',
    ]);
    const ignored = await api.post(`${CONFIG_MAPS}?dryRun=All&fieldValidation=Ignore`, body);
    expect(ignored.headers['warning']).toBeUndefined();
    const strict = await api.post(`${CONFIG_MAPS}?fieldValidation=Strict`, body);
    expect(strict.json['message']).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus"',
    );
  });

  it('takes YAML and protobuf bodies', async () => {
    const yaml = await api.ask(CONFIG_MAPS, {
      method: 'POST',
      body: 'metadata:\n  name: from-yaml\ndata: {a: "1"}\n',
      headers: { 'content-type': 'application/yaml' },
    });
    expect([yaml.status, yaml.json['data']]).toEqual([201, { a: '1' }]);
    const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'from-protobuf' } };
    const binary = await api.ask(CONFIG_MAPS, {
      method: 'POST',
      body: protobuf().encode(object),
      headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    });
    expect([binary.status, metadataOf(binary)['name']]).toEqual([201, 'from-protobuf']);
    const cbor = await api.ask(CONFIG_MAPS, {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'application/cbor' },
    });
    expect(cbor.status).toBe(415);
  });

  it('refuses to store what has a version, after what else is wrong; a dry run stores nothing', async () => {
    const given = { metadata: { name: 'versioned', resourceVersion: '7' } };
    const refused = await api.post(CONFIG_MAPS, given);
    expect(refused.json).toMatchObject({
      code: 500,
      message: 'resourceVersion should not be set on objects to be created',
    });
    const bad = { metadata: { name: 'Not_a_name', resourceVersion: '7' } };
    expect((await api.post(CONFIG_MAPS, bad)).status).toBe(422);
    expect((await api.post(`${CONFIG_MAPS}?dryRun=All`, given)).status).toBe(201);
    expect((await api.ask(`${CONFIG_MAPS}/versioned`)).status).toBe(404);
  });

  it('refuses a dry run of an unknown kind', async () => {
    const { json } = await api.post(`${CONFIG_MAPS}?dryRun=Some`, body);
    expect(json).toMatchObject({ code: 422, reason: 'Invalid' });
  });
});

describe('a write whose body is not where its URL is', () => {
  const NODES = '/api/v1/nodes';

  it.each([
    {
      name: 'no name',
      metadata: {},
      want: 'the name of the object (here based on URL) was undeterminable: name must be provided',
    },
    {
      name: 'another name',
      metadata: { name: 'there' },
      want: 'the name of the object (there) does not match the name on the URL (here)',
    },
    {
      name: 'another namespace',
      metadata: { name: 'here', namespace: 'x' },
      want: 'the namespace of the provided object does not match the namespace sent on the request',
    },
  ])('is refused for $name', async ({ metadata, want }) => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'here' } });
    const { status, json } = await api.ask(`${CONFIG_MAPS}/here`, {
      method: 'PUT',
      body: { metadata },
    });
    expect(status).toBe(400);
    expect(json['message']).toBe(want);
  });

  it('loses its namespace where there is none', async () => {
    const metadata = { name: 'nowhere', namespace: 'nowhere' };
    const made = await api.post(NODES, { metadata });
    expect(made.status).toBe(201);
    expect(metadataOf(made)).not.toHaveProperty('namespace');
    const put = await api.ask(`${NODES}/nowhere`, { method: 'PUT', body: { metadata } });
    expect(put.status).toBe(200);
    expect(metadataOf(put)).not.toHaveProperty('namespace');
  });
});

describe('deletion', () => {
  it('checks its preconditions', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'guarded' } });
    const wrong = await remove(`${CONFIG_MAPS}/guarded`, { preconditions: { uid: 'other' } });
    expect(wrong.json).toMatchObject({
      code: 409,
      reason: 'Conflict',
      details: { kind: 'ConfigMap' },
    });
    expect(wrong.json['message']).toContain('the UID in the precondition (other) does not match');
    const done = await remove(`${CONFIG_MAPS}/guarded`, {});
    expect(done.json).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'guarded', kind: 'configmaps' },
    });
  });

  it('of a pod on a node waits for its grace period, and is completed with none', async () => {
    await api.post(PODS, pod('graceful', { nodeName: 'n1' }));
    const begun = await remove(`${PODS}/graceful`, { gracePeriodSeconds: 5 });
    expect(metadataOf(begun)).toMatchObject({ deletionGracePeriodSeconds: 5 });
    expect((await api.ask(`${PODS}/graceful`)).status).toBe(200);
    await remove(`${PODS}/graceful`, { gracePeriodSeconds: 0 });
    expect((await api.ask(`${PODS}/graceful`)).status).toBe(404);
  });

  it('of a collection deletes what the selector matches', async () => {
    for (const name of ['c1', 'c2'])
      await api.post(CONFIG_MAPS, { metadata: { name, labels: { batch: '1' } } });
    const gone = await remove(`${CONFIG_MAPS}?labelSelector=batch%3D1`, {});
    expect(namesOf(gone)).toEqual(['c1', 'c2']);
    expect(namesOf(await api.ask(`${CONFIG_MAPS}?labelSelector=batch%3D1`))).toEqual([]);
  });

  it.each([
    {
      kind: 'Job',
      path: '/apis/batch/v1/namespaces/default/jobs',
      isJob: true,
      warning: [expect.stringContaining('child pods are preserved by default')],
    },
    { kind: 'ReplicationController', path: '/api/v1/namespaces/default/replicationcontrollers' },
  ])(
    'of a $kind leaves its pods unless told otherwise',
    async ({ path, isJob = false, warning = [] }) => {
      const template = { spec: { restartPolicy: isJob ? 'Never' : 'Always' } };
      for (const name of ['asked', 'unasked']) {
        const { metadata, spec } = pod(name);
        const made = await api.post(path, {
          metadata: { name },
          spec: {
            ...(isJob ? {} : { selector: { app: 'x' } }),
            template: { metadata, spec: { ...(spec as Json), ...template.spec } },
          },
        });
        expect(made.status).toBe(201);
      }
      const held = await remove(`${path}/unasked`, {});
      expect(held.status).toBe(200);
      expect(metadataOf(held)['finalizers']).toEqual(['orphan']);
      expect([held.headers['warning'] ?? []].flat()).toEqual(warning);
      const gone = await remove(`${path}/asked`, { propagationPolicy: 'Background' });
      expect(gone.json).toMatchObject({ kind: 'Status', status: 'Success' });
      expect(gone.headers['warning']).toBeUndefined();
    },
  );

  it('of an event is not held, whatever is asked', async () => {
    const events = '/api/v1/namespaces/default/events';
    const metadata = { name: 'told', namespace: 'default' };
    const about = { involvedObject: { namespace: 'default' }, reason: 'x', type: 'Normal' };
    expect((await api.post(events, { metadata, ...about })).status).toBe(201);
    await remove(`${events}/told`, { propagationPolicy: 'Orphan' });
    expect((await api.ask(`${events}/told`)).status).toBe(404);
  });

  it('in the foreground is left to the garbage collector', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'owner' } });
    const held = await remove(`${CONFIG_MAPS}/owner`, { propagationPolicy: 'Foreground' });
    expect(held.status).toBe(202);
    expect(metadataOf(held)['finalizers']).toEqual(['foregroundDeletion']);
  });
});

describe('binding and eviction of a pod', () => {
  it('binds once', async () => {
    await api.post(PODS, pod('bound'));
    const nominated = { status: { nominatedNodeName: 'n0' } };
    await api.patch(`${PODS}/bound/status`, 'merge-patch+json', nominated);
    const bind = (name: string): Promise<Answer> =>
      api.post(`${PODS}/bound/binding`, {
        metadata: { name: 'bound' },
        target: { kind: 'Node', name },
      });
    const first = await bind('n1');
    expect([first.status, first.json]).toMatchObject([201, { kind: 'Status', status: 'Success' }]);
    expect((await bind('n2')).json).toMatchObject({
      code: 409,
      message:
        'Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "n1"',
    });
    const { json } = await api.ask(`${PODS}?fieldSelector=spec.nodeName%3Dn1`);
    expect(namesOf({ json })).toContain('bound');
    const { json: now } = await api.ask(`${PODS}/bound`);
    expect(now).toMatchObject({
      // A node is not what users declare (e2e "Pods Extended (pod generation)").
      metadata: { generation: 1 },
      status: { conditions: [{ type: 'PodScheduled', observedGeneration: 1 }] },
    });
    expect(now).not.toHaveProperty('status.nominatedNodeName');
  });

  it('evicts a pod unless its budget forbids it', async () => {
    const body = { selector: { matchLabels: { app: 'kept' } }, minAvailable: 1 };
    const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
    await api.post(budgets, { metadata: { name: 'kept' }, spec: body });
    const kept = pod('kept');
    await api.post(PODS, { ...kept, metadata: { name: 'kept', labels: { app: 'kept' } } });
    const running = {
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    };
    await api.patch(`${PODS}/kept/status`, 'merge-patch+json', running);
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'kept' } };
    await eventually(async () => {
      const refused = await api.post(`${PODS}/kept/eviction`, eviction);
      expect(refused.json).toMatchObject({
        code: 429,
        reason: 'TooManyRequests',
        message: "Cannot evict pod as it would violate the pod's disruption budget.",
        details: { causes: [{ reason: 'DisruptionBudget' }] },
      });
    });
    await remove(`${budgets}/kept`, {});
    await eventually(async () => {
      const { status, json } = await api.post(`${PODS}/kept/eviction`, eviction);
      expect([status, json['status']]).toEqual([201, 'Success']);
    });
  });
});

describe('a deletion as watchers see it', () => {
  it.each([
    {
      name: 'a pod that dies at once is marked first',
      path: PODS,
      object: pod('at-once'),
      want: ['ADDED', 'MODIFIED', 'DELETED'],
    },
    {
      name: 'what has no grace period goes at once',
      path: CONFIG_MAPS,
      object: { metadata: { name: 'at-once', labels: { app: 'x' } } },
      want: ['ADDED', 'DELETED'],
    },
  ])('$name', async ({ path, object, want }) => {
    const watch = await api.watch(`${path}?watch=true&fieldSelector=metadata.name=at-once`);
    await api.post(path, object);
    const answer = await remove(`${path}/at-once`, { gracePeriodSeconds: 0 });
    expect(answer.status).toBe(200);
    await eventually(() => {
      expect(watch.types()).toEqual(want);
    });
    const seen = watch.events().map((event) => metadataOf({ json: event.object }));
    const graces = seen.map((metadata) => metadata['deletionGracePeriodSeconds']);
    expect(graces).toEqual(want.length === 3 ? [undefined, 0, 0] : [undefined, undefined]);
    expect(new Set(seen.map((metadata) => metadata['resourceVersion'])).size).toBe(want.length);
    watch.response.destroy();
  });
});
