import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import type { CertificateAuthority } from '@orrery/pki';
import { eventually, startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

const clock = new SystemClock();
const folder = mkdtempSync(join(tmpdir(), 'orrery-replicas-'));
const clients: Record<string, RequestOptions> = {};
let etcd: TestEtcd;
let replicas: Replica[] = [];

const at = (index: number): Replica => {
  const found = replicas[index];
  if (!found) throw new Error(`no replica ${index}`);
  return found;
};

async function issueClient(ca: CertificateAuthority, name: string, group: string): Promise<void> {
  const subject = { commonName: name, organizations: [group] };
  const issued = await issueCertificate(ca, {
    ...subject,
    usages: ['clientAuth'],
    now: clock.now(),
  });
  clients[name] = { cert: issued.certPem, key: issued.keyPem };
}

function startOne(tls: RequestOptions = clients['admin'] ?? {}): Promise<Replica> {
  return startReplica({
    etcd: etcd.endpoints,
    keyspace: '/replicas/',
    flags: [
      `--client-ca-file=${join(folder, 'ca.crt')}`,
      '--authorization-mode=Node,RBAC',
      '--anonymous-auth=true',
      '--service-node-port-range=30000-30099',
    ],
    tls,
  });
}

beforeAll(async () => {
  const ca = await createCa('kubernetes', clock.now());
  writeFileSync(join(folder, 'ca.crt'), ca.certPem);
  await issueClient(ca, 'admin', 'system:masters');
  await issueClient(ca, 'alice', 'developers');
  etcd = await startEtcd();
  replicas = [await startOne(), await startOne()];
}, 60_000);

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.close()));
  await etcd.stop();
  rmSync(folder, { recursive: true });
});

const SERVICES = '/api/v1/namespaces/default/services';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

describe('client certificates and RBAC', () => {
  const pods = '/api/v1/namespaces/default/pods';
  const alice = (): { tls: RequestOptions } => ({ tls: clients['alice'] ?? {} });

  it('knows who a certificate belongs to, and lets RBAC decide', async () => {
    const refused = await at(0).ask(pods, alice());
    expect(refused.json).toMatchObject({
      kind: 'Status',
      code: 403,
      reason: 'Forbidden',
      message:
        'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"',
      details: { kind: 'pods' },
    });
    const binding = {
      metadata: { name: 'alice-views' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'developers' }],
    };
    const bindings = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings';
    expect((await at(0).post(bindings, binding)).status).toBe(201);
    await eventually(async () => {
      expect((await at(1).ask(pods, alice())).status).toBe(200);
    });
  });

  it('treats a client without a certificate as anonymous', async () => {
    const answer = await at(0).ask('/api/v1/secrets', { tls: {} });
    expect(answer.json['message']).toContain('User "system:anonymous" cannot list resource');
    const wrong = await at(0).ask('/api', { tls: {}, headers: { authorization: 'Bearer nobody' } });
    expect(wrong.json).toMatchObject({
      code: 401,
      reason: 'Unauthorized',
      message: 'Unauthorized',
    });
  });
});

describe('two replicas on one etcd', () => {
  it('never hand out one address or node port twice', async () => {
    const create = (i: number): Promise<Json> =>
      at(i % 2)
        .post(SERVICES, {
          metadata: { name: `raced-${i}` },
          spec: { type: 'NodePort', ports: [{ port: 80 }] },
        })
        .then(({ json }) => json['spec'] as Json);
    const specs = await Promise.all(Array.from({ length: 24 }, (_, i) => create(i)));
    const ips = specs.map((spec) => spec['clusterIP']);
    const ports = specs.map((spec) => (spec['ports'] as Json[])[0]?.['nodePort']);
    expect([new Set(ips).size, new Set(ports).size]).toEqual([24, 24]);
  });

  it('give one address, asked for at both at once, to one Service', async () => {
    const body = (name: string): Json => ({
      metadata: { name },
      spec: { clusterIP: '127.218.200.200', ports: [{ port: 80 }] },
    });
    const answers = await Promise.all([
      at(0).post(SERVICES, body('first')),
      at(1).post(SERVICES, body('second')),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422]);
  });

  it('show what one has acknowledged to a read and a watch at the other', async () => {
    const made = await at(0).post(CONFIG_MAPS, { metadata: { name: 'shared' } });
    expect((await at(1).ask(`${CONFIG_MAPS}/shared`)).status).toBe(200);
    const since = Number(metadataOf(made)['resourceVersion']) - 1;
    const query = `watch=1&resourceVersion=${since}&fieldSelector=metadata.name=shared`;
    const watches = [
      await at(0).watch(`${CONFIG_MAPS}?${query}`),
      await at(1).watch(`${CONFIG_MAPS}?${query}`),
    ];
    const prefixed = { metadata: { name: 'shared-by-name-only' } };
    await at(0).post(CONFIG_MAPS, prefixed);
    await at(0).patch(`${CONFIG_MAPS}/shared`, 'merge-patch+json', { data: { a: '1' } });
    await at(1).ask(`${CONFIG_MAPS}/shared`, { method: 'DELETE' });
    await eventually(() => {
      for (const watch of watches) expect(watch.types()).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    });
    expect(watches[0]?.bytes.equals(watches[1]?.bytes ?? Buffer.alloc(0))).toBe(true);
    for (const { response } of watches) response.destroy();
  });

  it('are both endpoints of the kubernetes Service; one that stops leaves, and ends its watches', async () => {
    const endpoints = async (): Promise<string[]> => {
      const { json } = await at(0).ask('/api/v1/namespaces/default/endpoints/kubernetes');
      const [subset] = json['subsets'] as { addresses: { ip: string }[] }[];
      return (subset?.addresses ?? []).map(({ ip }) => ip).sort();
    };
    const third = await startOne();
    expect(await endpoints()).toContain(third.host);
    const watch = await third.watch(`${CONFIG_MAPS}?watch=1`);
    await third.close();
    expect(await watch.ended).toBe('end');
    expect(await endpoints()).not.toContain(third.host);
  });
});
