import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

const etcd = useEtcd();
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

let api: Replica;

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
}, 60_000);

afterAll(async () => {
  await api.close();
});

const owner = (uid: string, more: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'owner',
  uid,
  ...more,
});
const told = (when = '', uids = 'one'): string =>
  `299 - ".metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}"`;

describe('owners that are named twice', () => {
  const twice = [owner('one'), owner('one'), owner('two'), owner('one', { controller: false })];
  const once = [twice[0], twice[2], twice[3]];

  it('are stored once, with a warning, by creates, updates and patches', async () => {
    const made = await api.post(CONFIG_MAPS, {
      metadata: { name: 'owned', ownerReferences: twice },
    });
    expect(metadataOf(made)['ownerReferences']).toEqual(once);
    expect(made.headers['warning']).toBe(told());
    const path = `${CONFIG_MAPS}/owned`;
    const put = await api.ask(path, {
      method: 'PUT',
      body: { ...made.json, data: { a: 'b' }, metadata: { name: 'owned', ownerReferences: twice } },
    });
    expect(metadataOf(put)['ownerReferences']).toEqual(once);
    expect(put.headers['warning']).toBe(told());
    const patch = { metadata: { ownerReferences: [...twice, owner('two')] } };
    const patched = await api.patch(path, 'merge-patch+json', patch);
    expect(metadataOf(patched)['ownerReferences']).toEqual(once);
    expect(patched.headers['warning']).toBe(told(' after mutating admission happens', 'one, two'));
  });
});

describe('a body whose type is named and empty', () => {
  it('is JSON', async () => {
    const body = JSON.stringify({ metadata: { name: 'untyped' } });
    const made = await api.ask(CONFIG_MAPS, {
      method: 'POST',
      body,
      headers: { 'content-type': '' },
    });
    expect(made.status).toBe(201);
  });
});

describe('a create with a version that is no number', () => {
  it('is a create', async () => {
    const metadata = { name: 'versioned', resourceVersion: 'none' };
    const made = await api.post(CONFIG_MAPS, { metadata });
    expect(made.status).toBe(201);
    expect(metadataOf(made)['resourceVersion']).toMatch(/^\d+$/);
  });
});

describe('fields that nobody knows, and fields that are given again', () => {
  const PODS = '/api/v1/namespaces/default/pods?fieldValidation=Strict';
  const send = async (type: string, body: string): Promise<string> => {
    const headers = { 'content-type': type };
    const { json } = await api.ask(PODS, { method: 'POST', body, headers });
    return String(json['message']).replace(/^.*strict decoding error: /s, '');
  };

  it('are told of as a body of JSON has them; nothing is looked at in what is unknown', async () => {
    const body = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"},"spec":{"zero":1,"zero":2,
      "alpha":{"a":1,"a":2},"nodeName":"a","nodeName":"b","containers":[{"name":"c","image":"i","beta":1}]}}`;
    expect(await send('application/json', body)).toBe(
      [
        'unknown field "spec.zero"',
        'unknown field "spec.alpha"',
        'duplicate field "spec.nodeName"',
        'unknown field "spec.containers[0].beta"',
      ].join(', '),
    );
  });

  it('are told of by their names where the body is YAML', async () => {
    const body = `kind: Pod
apiVersion: v1
metadata: {name: p, zero: 1}
spec:
  zero: 1
  alpha: 1
  containers:
  - {name: c, image: i, zero: 1}
`;
    expect(await send('application/yaml', body)).toBe(
      [
        'unknown field "metadata.zero"',
        'unknown field "spec.alpha"',
        'unknown field "spec.containers[0].zero"',
        'unknown field "spec.zero"',
      ].join(', '),
    );
  });

  it.each([
    {
      type: 'merge-patch+json',
      body: { spec: { zero: 1, template: { spec: { alpha: 1 } }, beta: 1 } },
      told: ['unknown field "spec.beta"', 'unknown field "spec.template.spec.alpha"'],
    },
    {
      type: 'json-patch+json',
      body: [
        { op: 'add', path: '/spec/zero', value: 1, odd: 1 },
        { op: 'add', path: '/spec/alpha', value: 1 },
      ],
      told: ['json patch unknown field "[0].odd"', 'unknown field "spec.alpha"'],
    },
  ])('are told of by their names by a patch of $type', async ({ type, body, told: wanted }) => {
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const labels = { app: 'x' };
    const containers = [{ name: 'c', image: 'i' }];
    const template = { metadata: { labels }, spec: { containers } };
    const spec = { selector: { matchLabels: labels }, template };
    await api.post(path, { metadata: { name: 'patched' }, spec });
    const { json } = await api.patch(`${path}/patched?fieldValidation=Strict`, type, body);
    const message = String(json['message']).replace(/^.*strict decoding error: /s, '');
    expect(message).toBe([...wanted, 'unknown field "spec.zero"'].join(', '));
  });

  it('are told of operation by operation', async () => {
    await api.post(CONFIG_MAPS, { metadata: { name: 'operated' } });
    const body =
      '[{"op":"add","path":"/metadata/labels","value":{},"foo":1},{"op":"test","path":"/kind","path":"/kind","value":"ConfigMap"}]';
    const { headers } = await api.patch(`${CONFIG_MAPS}/operated`, 'json-patch+json', body);
    expect(headers['warning']).toBe(
      String.raw`299 - "json patch unknown field \"[0].foo\"", 299 - "json patch duplicate field \"[1].path\""`,
    );
  });
});

describe('what a status of a pod cannot end', () => {
  it('is the pod', async () => {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    await api.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    await api.post('/api/v1/namespaces/default/pods', { metadata: { name: 'lives' }, spec });
    const path = '/api/v1/namespaces/default/pods/lives/status?fieldManager=x';
    const applied = await api.patch(path, 'apply-patch+yaml', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'lives', deletionTimestamp: '2020-01-01T00:00:00Z' },
      status: { message: 'here' },
    });
    expect(applied.json).toMatchObject({ status: { message: 'here' } });
    expect(metadataOf(applied)).not.toHaveProperty('deletionTimestamp');
  });
});

describe('an object that is too large with the owners of its fields', () => {
  const data = Object.fromEntries(
    Array.from({ length: 9999 }, (_, i) => [
      `this-key-is-very-long-so-as-to-create-a-very-large-serialized-fieldset-${i}`,
      'A',
    ]),
  );

  it('is stored without them, but an apply cannot be', async () => {
    const made = await api.post(CONFIG_MAPS, { metadata: { name: 'large' }, data });
    expect(made.status).toBe(201);
    expect(metadataOf(made)).not.toHaveProperty('managedFields');
    await api.post(CONFIG_MAPS, { metadata: { name: 'grown' } });
    const path = `${CONFIG_MAPS}/grown`;
    const put = await api.ask(path, { method: 'PUT', body: { metadata: { name: 'grown' }, data } });
    expect(put.status).toBe(200);
    expect(metadataOf(put)).not.toHaveProperty('managedFields');
    await api.post(CONFIG_MAPS, { metadata: { name: 'patched' } });
    const patched = await api.patch(`${CONFIG_MAPS}/patched`, 'merge-patch+json', { data });
    expect(patched.status).toBe(200);
    expect(metadataOf(patched)).not.toHaveProperty('managedFields');
    const applied = await api.patch(`${path}?fieldManager=x`, 'apply-patch+yaml', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'grown' },
    });
    expect(applied.status).toBe(413);
  });
});
