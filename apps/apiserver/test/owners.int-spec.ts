import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { defineFoos } from './foos.js';
import { metadataOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
let api: Replica;

const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const FOOS = '/apis/owners.test/v1/namespaces/default/foos';
const MERGE = 'merge-patch+json';

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
  await api.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  await defineFoos(
    api,
    'owners.test',
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    { subresources: { status: {} } },
  );
}, 60_000);

afterAll(async () => {
  await api.close();
});

const fieldsOf = (answer: Answer, manager: string): Json | undefined => {
  const entries = (metadataOf(answer)['managedFields'] ?? []) as Json[];
  return entries.find((entry) => entry['manager'] === manager)?.['fieldsV1'] as Json | undefined;
};

const containers = [{ name: 'c', image: 'i' }];
const labels = { app: 'a' };
const toleration = { key: 'k', operator: 'Exists' };

// Read beside kube-apiserver 1.28.0; metadata of custom objects from the source of 1.36.
describe('who owns the fields', () => {
  it('of a list that admission has added to: who sends it without that', async () => {
    const pod = {
      metadata: { name: 'p' },
      spec: {
        containers,
        tolerations: [toleration],
        automountServiceAccountToken: false,
        serviceAccountName: 'default',
        priority: 0,
        preemptionPolicy: 'PreemptLowerPriority',
      },
    };
    const made = await api.post(`${PODS}?fieldManager=author`, pod);
    expect(fieldsOf(made, 'author')).toMatchObject({ 'f:spec': { 'f:tolerations': {} } });
    const again = await api.ask(`${PODS}/p?fieldManager=other`, { method: 'PUT', body: pod });
    expect(again.status).toBe(200);
    expect(fieldsOf(again, 'other')).toEqual({ 'f:spec': { 'f:tolerations': {} } });
    expect(fieldsOf(again, 'author')).not.toHaveProperty(['f:spec', 'f:tolerations']);
  });

  it.each<{ name: string; path: string; object: Json; write: Json; want: Json | undefined }>([
    {
      name: 'labels of a deployment, not who sends them with the status',
      path: DEPLOYMENTS,
      object: {
        metadata: { name: 'd' },
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers } },
        },
      },
      write: { metadata: { labels: { x: 'y' } }, status: { observedGeneration: 1 } },
      want: { 'f:status': { 'f:observedGeneration': {} } },
    },
    {
      name: 'labels of a pod, who sends them with the status',
      path: PODS,
      object: { metadata: { name: 'l' }, spec: { containers } },
      write: { metadata: { labels: { x: 'y' } }, spec: { containers: [] } },
      want: { 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } } },
    },
    {
      name: 'labels of a custom object, not who sends them with the status',
      path: FOOS,
      object: { apiVersion: 'owners.test/v1', kind: 'Foo', metadata: { name: 'f' }, spec: {} },
      write: { metadata: { labels: { x: 'y' } }, status: { a: 'b' } },
      want: { 'f:status': { '.': {}, 'f:a': {} } },
    },
  ])('$name', async ({ path, object, write, want }) => {
    const name = String((object['metadata'] as Json)['name']);
    expect((await api.post(`${path}?fieldManager=author`, object)).status).toBe(201);
    const made = await api.patch(`${path}/${name}/status?fieldManager=other`, MERGE, write);
    expect(fieldsOf(made, 'other')).toEqual(want);
  });
});
