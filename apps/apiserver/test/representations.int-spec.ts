import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { protobuf } from '../src/negotiation/schemas.js';
import { defineFoos } from './foos.js';
import { metadataOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const PARTIAL = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';

let api: Replica;

const get = (path: string, accept: string): Promise<Answer> =>
  api.ask(path, { headers: { accept } });

/** Frames of a protobuf watch: four bytes of length each. */
function frames(bytes: Buffer): { type: string; object: Json }[] {
  const found: { type: string; object: Json }[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    found.push(protobuf().decodeWatchFrame(bytes.subarray(at, end)));
    at = end;
  }
  return found;
}

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
  await api.post(CONFIG_MAPS, {
    metadata: { name: 'shape', labels: { a: 'b' } },
    data: { k: 'v' },
  });
}, 60_000);

afterAll(async () => {
  await api.close();
});

describe('representations of a Scale', () => {
  it('are a table with its replicas, and metadata alone', async () => {
    const path = '/apis/apps/v1/namespaces/default/replicasets';
    const labels = { a: 'b' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { replicas: 3, selector: { matchLabels: labels }, template };
    await api.post(path, { metadata: { name: 'scaled' }, spec });
    const table = await get(`${path}/scaled/scale`, TABLE);
    const columns = table.json['columnDefinitions'] as { name: string }[];
    expect(columns.map(({ name }) => name)).toEqual(['Name', 'Desired', 'Available', 'Age']);
    const [row] = table.json['rows'] as { cells: unknown[] }[];
    expect(row?.cells.slice(0, 3)).toEqual(['scaled', 3, 0]);
    expect((await get(`${path}/scaled/scale`, PARTIAL)).json).toMatchObject({
      kind: 'PartialObjectMetadata',
      metadata: { name: 'scaled' },
    });
    const plain = await get(`${path}/scaled/scale`, 'application/json');
    expect(plain.json).toMatchObject({ kind: 'Scale', spec: { replicas: 3 } });
  });
});

describe('representations of one object', () => {
  it('are YAML, protobuf and metadata alone', async () => {
    const yaml = await get(`${CONFIG_MAPS}/shape`, 'application/yaml');
    expect(yaml.headers['content-type']).toBe('application/yaml');
    expect(yaml.text).toContain('data:\n  k: v\n');
    const binary = await get(`${CONFIG_MAPS}/shape`, PROTOBUF);
    expect(binary.headers['content-type']).toBe(PROTOBUF);
    expect(protobuf().decode(binary.bytes).object).toMatchObject({
      kind: 'ConfigMap',
      data: { k: 'v' },
    });
    const partial = await get(`${CONFIG_MAPS}/shape`, PARTIAL);
    expect(partial.json).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'shape', labels: { a: 'b' } },
    });
    expect(partial.json).not.toHaveProperty('data');
  });

  it('are tables with the columns of the kind', async () => {
    const { json } = await get(`${CONFIG_MAPS}/shape`, TABLE);
    const columns = (json['columnDefinitions'] as { name: string }[]).map(({ name }) => name);
    expect([json['kind'], columns]).toEqual(['Table', ['Name', 'Data', 'Age']]);
    const [row] = json['rows'] as { cells: unknown[]; object: Json }[];
    expect(row?.cells.slice(0, 2)).toEqual(['shape', 1]);
    expect(row?.object).toMatchObject({ kind: 'PartialObjectMetadata' });
    const whole = await get(`${CONFIG_MAPS}/shape?includeObject=Object`, TABLE);
    expect((whole.json['rows'] as Json[])[0]).toMatchObject({ object: { kind: 'ConfigMap' } });
    const none = await get(`${CONFIG_MAPS}/shape?includeObject=None`, TABLE);
    expect((none.json['rows'] as Json[])[0]?.['object'] ?? null).toBeNull();
  });

  it('come pretty for people and when asked', async () => {
    const plain = await api.ask(`${CONFIG_MAPS}/shape`);
    expect(plain.text).not.toContain('\n');
    const pretty = await api.ask(`${CONFIG_MAPS}/shape?pretty=true`);
    expect(pretty.text).toContain('{\n  "kind": "ConfigMap"');
    const curl = await api.ask(`${CONFIG_MAPS}/shape`, { headers: { 'user-agent': 'curl/8.0' } });
    expect(curl.text).toBe(pretty.text);
  });

  it('keeps the type in a Status that is protobuf', async () => {
    const missing = await get(`${CONFIG_MAPS}/nope`, PROTOBUF);
    expect(missing.status).toBe(404);
    expect(protobuf().decode(missing.bytes).object).toMatchObject({
      kind: 'Status',
      reason: 'NotFound',
    });
  });
});

describe('representations of a list', () => {
  it('leave kind and apiVersion to the list', async () => {
    const { json } = await api.ask(`${CONFIG_MAPS}?fieldSelector=metadata.name=shape`);
    expect(json).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' });
    expect((json['items'] as Json[])[0]).not.toHaveProperty('kind');
    const partial = await get(CONFIG_MAPS, PARTIAL.replace('Metadata', 'MetadataList'));
    expect(partial.json).toMatchObject({ kind: 'PartialObjectMetadataList' });
    const binary = await get(CONFIG_MAPS, PROTOBUF);
    expect(protobuf().decode(binary.bytes).object).toMatchObject({ kind: 'ConfigMapList' });
  });
});

describe('representations of a watch', () => {
  const query = 'watch=1&fieldSelector=metadata.name=shape';

  it('is framed in protobuf', async () => {
    const watch = await api.watch(`${CONFIG_MAPS}?${query}`, { headers: { accept: PROTOBUF } });
    expect(watch.response.headers['content-type']).toBe(`${PROTOBUF};stream=watch`);
    await eventually(() => {
      expect(frames(watch.bytes)).toMatchObject([
        { type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'shape' } } },
      ]);
    });
    watch.response.destroy();
  });

  it('names the columns of a table in the first event only', async () => {
    const watch = await api.watch(`${CONFIG_MAPS}?${query}`, { headers: { accept: TABLE } });
    await api.patch(`${CONFIG_MAPS}/shape`, 'merge-patch+json', { data: { other: 'x' } });
    await eventually(() => {
      const columns = watch.events().map(({ object }) => Boolean(object['columnDefinitions']));
      expect(columns).toEqual([true, false]);
    });
    watch.response.destroy();
  });

  it('sends the initial events, then the bookmark that ends them, then what changes', async () => {
    const initial =
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const watch = await api.watch(`${CONFIG_MAPS}?${query}&${initial}`);
    await eventually(() => {
      expect(watch.types()).toEqual(['ADDED', 'BOOKMARK']);
    });
    const mark = watch.events()[1]?.object ?? {};
    expect(mark).toMatchObject({
      kind: 'ConfigMap',
      metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    await api.patch(`${CONFIG_MAPS}/shape`, 'merge-patch+json', { data: { more: 'y' } });
    await eventually(() => {
      expect(watch.types()).toEqual(['ADDED', 'BOOKMARK', 'MODIFIED']);
    });
    const [, , changed] = watch.events();
    const after = Number(metadataOf({ json: changed?.object ?? {} })['resourceVersion']);
    expect(after).toBeGreaterThan(Number(metadataOf({ json: mark })['resourceVersion']));
    watch.response.destroy();
  });

  it('ends by itself when its time is over', async () => {
    const watch = await api.watch(`${CONFIG_MAPS}?watch=1&timeoutSeconds=1`);
    expect(await watch.ended).toBe('end');
  });
});

describe('custom objects in protobuf', () => {
  const FOOS = '/apis/shape.test/v1/namespaces/default/foos';
  const as = (kind: string): string => `${PROTOBUF};as=${kind};v=v1;g=meta.k8s.io`;

  beforeAll(async () => {
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    await defineFoos(api, 'shape.test', schema);
    const body = { apiVersion: 'shape.test/v1', kind: 'Foo', metadata: { name: 'one' }, spec: {} };
    await eventually(async () => {
      const { status } = await api.post(FOOS, body);
      if (status !== 201) throw new Error(`not yet: ${status}`);
    });
  });

  it.each([
    { kind: 'PartialObjectMetadata', path: `${FOOS}/one` },
    { kind: 'PartialObjectMetadataList', path: FOOS },
  ])('have metadata: $kind', async ({ kind, path }) => {
    const json = await get(path, `application/json;as=${kind};v=v1;g=meta.k8s.io`);
    const answer = await get(path, as(kind));
    expect([answer.status, answer.headers['content-type']]).toEqual([200, PROTOBUF]);
    // Items of a message say of what kind they are no more.
    const items = (json.json['items'] as Json[] | undefined)?.map(({ metadata }) => ({ metadata }));
    expect(protobuf().decode(answer.bytes).object).toEqual({
      ...json.json,
      ...(items && { items }),
    });
  });

  it('are watched by their metadata', async () => {
    const path = `${FOOS}?watch=true&timeoutSeconds=1&resourceVersion=0`;
    const { bytes } = await get(path, as('PartialObjectMetadata'));
    expect(frames(bytes)).toMatchObject([
      { type: 'ADDED', object: { kind: 'PartialObjectMetadata', metadata: { name: 'one' } } },
    ]);
  });

  it.each([`${FOOS}/one`, FOOS])('are in no message themselves: %s', async (path) => {
    const json = `${PROTOBUF},application/json`;
    const { status, bytes } = await get(path, PROTOBUF);
    expect([status, protobuf().decode(bytes).object]).toMatchObject([
      406,
      {
        reason: 'NotAcceptable',
        message:
          'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      },
    ]);
    expect((await get(path, json)).headers['content-type']).toBe('application/json');
  });
});
