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
