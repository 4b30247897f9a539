import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { defineFoos } from './foos.js';
import { metadataOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
let api: Replica;

const MAPS = '/api/v1/namespaces/default/configmaps';
const FOOS = '/apis/null.test/v1/namespaces/default/foos';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const MERGE = 'merge-patch+json';
const APPLY = 'apply-patch+yaml';

const text = { type: 'string' };
const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        text,
        nullable: { ...text, nullable: true },
        preset: { ...text, default: 'x' },
        map: { type: 'object', additionalProperties: text },
        list: { type: 'array', items: text },
        keyed: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: { type: 'object', required: ['k'], properties: { k: text, v: text } },
        },
      },
    },
  },
};

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
  await defineFoos(api, 'null.test', schema);
}, 60_000);

afterAll(async () => {
  await api.close();
});

const ownersOf = (answer: Answer): Json => {
  const entries = (metadataOf(answer)['managedFields'] ?? []) as Json[];
  return Object.fromEntries(
    entries.map(({ manager, operation, fieldsV1 }) => [
      `${manager as string} ${operation as string}`,
      fieldsV1,
    ]),
  );
};

const applyFoo = (query: string, spec: Json): Promise<Answer> =>
  api.patch(`${FOOS}/${query}&force=true`, APPLY, {
    apiVersion: 'null.test/v1',
    kind: 'Foo',
    metadata: {},
    spec,
  });

// Answers of kube-apiserver 1.28.0 and of apiextensions-apiserver 1.36.4.
describe('null that is applied to a custom object', () => {
  it.each([
    { spec: { text: null }, at: 'spec.text', type: 'string' },
    { spec: { map: null }, at: 'spec.map', type: 'object' },
    { spec: { map: { a: null } }, at: 'spec.map.a', type: 'string' },
    { spec: { list: null }, at: 'spec.list', type: 'array' },
    { spec: { keyed: [{ k: null }] }, at: 'spec.keyed[0].k', type: 'string' },
    { spec: { keyed: [{ k: 'a', v: null }] }, at: 'spec.keyed[0].v', type: 'string' },
  ])('is refused where it may not be: $at', async ({ spec, at, type }) => {
    const { status, json } = await applyFoo('new?fieldManager=one', spec);
    expect([status, json['message']]).toEqual([
      422,
      `Foo.null.test "new" is invalid: ${at}: Invalid value: "null": ${at} in body must be of type ${type}: "null"`,
    ]);
  });

  it('is kept, or gives way to the default', async () => {
    const made = await applyFoo('kept?fieldManager=one', { nullable: null, preset: null });
    expect(made.json['spec']).toEqual({ nullable: null, preset: 'x' });
    expect(ownersOf(made)).toEqual({
      'one Apply': { 'f:spec': { 'f:nullable': {}, 'f:preset': {} } },
    });
  });

  it('is dropped from what is created or patched', async () => {
    const body = { apiVersion: 'null.test/v1', kind: 'Foo', metadata: { name: 'made' } };
    const spec = { text: null, map: { a: null }, preset: null };
    const made = await api.post(FOOS, { ...body, spec });
    expect(made.json['spec']).toEqual({ map: {}, preset: 'x' });
    const put = await api.ask(`${FOOS}/made`, {
      method: 'PUT',
      body: { ...body, metadata: metadataOf(made), spec: { text: null, list: null } },
    });
    expect(put.json['spec']).toEqual({ preset: 'x' });
    const path = [{ op: 'add', path: '/spec/text', value: null }];
    const patched = await api.patch(`${FOOS}/made`, 'json-patch+json', path);
    expect([patched.status, patched.json['spec']]).toEqual([200, { preset: 'x' }]);
  });
});

describe('null that is applied', () => {
  it('is a key of its own', async () => {
    const labels = { a: 'b' };
    const ports = [{ containerPort: 80, protocol: null }];
    const { json, ...answer } = await api.patch(`${DEPLOYMENTS}/d?fieldManager=one`, APPLY, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'c', image: 'i', ports }] },
        },
      },
    });
    expect(JSON.stringify(ownersOf({ json, ...answer }))).toContain(
      String.raw`"k:{\"containerPort\":80,\"protocol\":null}"`,
    );
  });

  it.each([
    { path: `${MAPS}/map`, head: { apiVersion: 'v1', kind: 'ConfigMap' } },
    { path: `${FOOS}/nameless`, head: { apiVersion: 'null.test/v1', kind: 'Foo' } },
  ])('is no name: $path', async ({ path, head }) => {
    const body = { ...head, metadata: { name: null } };
    const { status, json } = await api.patch(`${path}?fieldManager=one`, APPLY, body);
    expect([status, json['message']]).toEqual([
      400,
      `the name of the object (${path.split('/').at(-1)} based on URL) was undeterminable: name must be provided`,
    ]);
  });
});

// k8s apimachinery pkg/util/managedfields/internal/fieldmanager.go:isResetManagedFields.
describe('managedFields: []', () => {
  const metadata = { name: 'tracked', managedFields: [] };
  it.each([
    { name: 'a merge patch', method: 'PATCH', type: MERGE, body: { metadata } },
    {
      name: 'a strategic patch',
      method: 'PATCH',
      type: 'strategic-merge-patch+json',
      body: { metadata },
    },
    {
      name: 'a JSON patch',
      method: 'PATCH',
      type: 'json-patch+json',
      body: [{ op: 'replace', path: '/metadata/managedFields', value: [] }],
    },
    { name: 'an update', method: 'PUT', type: 'json', body: { metadata, data: { a: '1' } } },
  ])('ends the tracking, by $name', async ({ method, type, body }) => {
    await api.ask(`${MAPS}/tracked`, { method: 'DELETE' });
    const made = await api.post(`${MAPS}?fieldManager=one`, {
      metadata: { name: 'tracked' },
      data: { a: '1' },
    });
    expect(Object.keys(ownersOf(made))).toEqual(['one Update']);
    const headers = { 'content-type': `application/${type}` };
    const path = `${MAPS}/tracked?fieldManager=two`;
    const answer = await api.ask(path, { method, headers, body });
    expect([answer.status, metadataOf(answer)['managedFields']]).toEqual([200, undefined]);
    const applied = await api.patch(path, APPLY, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'tracked' },
      data: { b: '1' },
    });
    expect(Object.keys(ownersOf(applied))).toEqual(['two Apply', 'before-first-apply Update']);
  });

  it('is nothing in a custom object, whose metadata is written anew', async () => {
    await applyFoo('tracked?fieldManager=one', { text: 'a' });
    const answer = await api.patch(`${FOOS}/tracked`, MERGE, { metadata });
    expect(Object.keys(ownersOf(answer))).toEqual(['one Apply']);
    const reset = { metadata: { managedFields: [{}] } };
    expect(ownersOf(await api.patch(`${FOOS}/tracked`, MERGE, reset))).toEqual({});
  });

  it('is refused in what is applied', async () => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    const { status, json } = await api.patch(`${MAPS}/tracked?fieldManager=two`, APPLY, body);
    expect([status, json['message']]).toEqual([400, 'metadata.managedFields must be nil']);
  });
});
