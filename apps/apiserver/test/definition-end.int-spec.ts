import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Replica } from './replica.js';

const etcd = useEtcd();
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const NAME = 'ends.example.com';
const MERGE = 'merge-patch+json';

let api: Replica;

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
}, 60_000);

afterAll(async () => {
  await api.close();
});

it('a definition goes even where it would not be accepted as it lies there', async () => {
  const openAPIV3Schema = { type: 'object' };
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }];
  const spec = { group: 'example.com', scope: 'Cluster', names: { plural: 'ends', kind: 'End' } };
  const made = await api.post(CRDS, { metadata: { name: NAME }, spec: { ...spec, versions } });
  expect(made.status).toBe(201);
  await eventually(async () => {
    expect((await api.ask('/apis/example.com/v1/ends')).status).toBe(200);
    expect((await api.ask(`${CRDS}/${NAME}`)).text).toContain('"Established"');
  });
  // Of no version that there is: any update of the spec is refused from now on.
  const status = { storedVersions: ['v1', 'v9'] };
  const patched = await api.patch(`${CRDS}/${NAME}/status`, MERGE, { status });
  expect(patched.status).toBe(200);
  const before = metadataOf(await api.ask(`${CRDS}/${NAME}`));
  expect(before['finalizers']).toBeUndefined();
  expect(before['managedFields']).toContainEqual(
    expect.objectContaining({ manager: 'kube-apiserver', subresource: 'status' }),
  );
  const deleted = await api.ask(`${CRDS}/${NAME}`, { method: 'DELETE' });
  expect(deleted.status).toBe(200);
  expect(metadataOf(deleted)).toMatchObject({
    finalizers: ['customresourcecleanup.apiextensions.k8s.io'],
    generation: before['generation'],
  });
  expect(deleted.text).toContain('"InstanceDeletionPending"');
  await eventually(async () => {
    expect((await api.ask(`${CRDS}/${NAME}`)).status).toBe(404);
  });
});
