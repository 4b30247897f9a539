import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Replica } from './replica.js';

const etcd = useEtcd();
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

let first: Replica;
let second: Replica | undefined;

const start = (): Promise<Replica> =>
  startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });

beforeAll(async () => {
  first = await start();
}, 60_000);

afterAll(async () => {
  await second?.close();
  await first.close();
});

describe('a webhook that lets nothing through', () => {
  it('does not keep a server that starts from being ready, and can be removed there', async () => {
    await eventually(async () => (await first.ask('/readyz')).status === 200);
    const rule = { apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], operations: ['*'] };
    const made = await first.post(WEBHOOKS, {
      metadata: { name: 'broken' },
      webhooks: [
        {
          name: 'broken.example.com',
          rules: [rule],
          clientConfig: { url: 'https://127.0.0.1:1/nobody' },
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    });
    expect(made.status).toBe(201);
    await eventually(async () => {
      const refused = await first.post(`${CONFIG_MAPS}?dryRun=All`, { metadata: { name: 'a' } });
      return refused.status === 500;
    });
    const started = await start();
    second = started;
    await eventually(async () => (await started.ask('/readyz')).status === 200);
    const gone = await started.ask(`${WEBHOOKS}/broken`, { method: 'DELETE' });
    expect(gone.status).toBe(200);
    await eventually(async () => {
      const { status } = await started.post(CONFIG_MAPS, { metadata: { name: 'b' } });
      return status === 201;
    });
  }, 60_000);
});
