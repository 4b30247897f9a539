import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { CertificateSigningRequest, Secret } from '@orrery/api';
import { resources } from '@orrery/api';
import { SystemClock } from '@orrery/component';
import {
  createCa,
  createSigningRequest,
  generateKeyPair,
  parseCertificates,
  privateKeyToPem,
} from '@orrery/pki';
import { eventually } from '@orrery/testkit';
import { useControlPlane } from './control-plane.js';

const HOUR = 3_600_000;
const plane = useControlPlane({
  controllers: [
    'csrapproving',
    'csrsigning',
    'csrcleaner',
    'bootstrapsigner',
    'tokencleaner',
    'serviceaccount-token',
    'legacy-serviceaccount-token-cleaner',
    'root-ca-cert-publisher',
  ],
  async prepare(folder) {
    const ca = await createCa('kubernetes', new SystemClock().now());
    writeFileSync(join(folder, 'ca.crt'), ca.certPem);
    writeFileSync(join(folder, 'ca.key'), ca.keyPem);
    writeFileSync(join(folder, 'sa.key'), privateKeyToPem((await generateKeyPair()).privateKey));
  },
  flags: (folder) => [
    `--cluster-signing-cert-file=${join(folder, 'ca.crt')}`,
    `--cluster-signing-key-file=${join(folder, 'ca.key')}`,
    `--root-ca-file=${join(folder, 'ca.crt')}`,
    `--service-account-private-key-file=${join(folder, 'sa.key')}`,
  ],
});

const csrs = resources.certificatesigningrequests;
const NODE = { commonName: 'system:node:k1', organizations: ['system:nodes'] };

async function request(name: string, spec: object, subject = NODE): Promise<void> {
  const { csrPem } = await createSigningRequest(subject);
  await plane.create(csrs, {
    metadata: { name },
    spec: {
      request: Buffer.from(csrPem).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
      ...spec,
    },
  });
}

async function approve(name: string): Promise<void> {
  const csr = await plane.get(csrs, { name });
  const conditions = [{ type: 'Approved', status: 'True' as const, reason: 'Test', message: '' }];
  await plane.client
    .resource(csrs)
    .updateSubresource({ ...csr, status: { conditions } }, 'approval');
}

const reasons = ({ status }: CertificateSigningRequest): (string | undefined)[] =>
  (status?.conditions ?? []).map(({ reason }) => reason);

const namesOf = async (): Promise<(string | undefined)[]> =>
  (await plane.list(csrs)).map(({ metadata }) => metadata.name);

describe('CertificateSigningRequests', () => {
  it('of kubelets are approved, signed for the time they ask for, and cleaned up', async () => {
    await request('kubelet', { expirationSeconds: 7200 });
    const csr = await plane.settled(csrs, { name: 'kubelet' }, ({ status }) =>
      Boolean(status?.certificate),
    );
    expect(csr.status?.conditions).toMatchObject([
      {
        type: 'Approved',
        reason: 'AutoApproved',
        message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
      },
    ]);
    const [certificate] = parseCertificates(
      Buffer.from(csr.status?.certificate ?? '', 'base64').toString(),
    );
    expect(certificate?.subject).toContain('CN=system:node:k1');
    expect(certificate?.subject).toContain('O=system:nodes');
    const left = Date.parse(certificate?.validTo ?? '') - plane.clock.now();
    expect(left).toBeGreaterThan(1.9 * HOUR);
    expect(left).toBeLessThan(2.01 * HOUR);
  });

  it('of others wait for an approval', async () => {
    const client = 'kubernetes.io/kube-apiserver-client';
    await request('jane', { signerName: client }, { commonName: 'jane', organizations: ['dev'] });
    await request('bad', { signerName: client, usages: ['server auth'] });
    await approve('jane');
    await approve('bad');
    await plane.settled(csrs, { name: 'jane' }, ({ status }) => Boolean(status?.certificate));
    const bad = await plane.settled(csrs, { name: 'bad' }, (csr) => reasons(csr).length === 2);
    expect(bad.status?.conditions?.[1]).toMatchObject({
      type: 'Failed',
      reason: 'SignerValidationFailure',
      message: 'invalid usage for client certificate: server auth',
    });
    await request('waiting', { signerName: client });
    await plane.clock.step(1.5 * HOUR, 0);
    await eventually(async () => {
      expect(await namesOf()).toEqual(['waiting']);
    });
  });
});

const secret = (name: string, namespace: string, type: string, data: object, more: object = {}) =>
  plane.create<Secret>(resources.secrets, {
    metadata: { name, namespace, ...more },
    type,
    stringData: data,
  });

describe('bootstrap tokens', () => {
  const token = (id: string, expiration: number): Promise<unknown> =>
    secret(`bootstrap-token-${id}`, 'kube-system', 'bootstrap.kubernetes.io/token', {
      'token-id': id,
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-signing': 'true',
      expiration: new Date(expiration).toISOString().replace(/\.\d+/, ''),
    });

  it('sign cluster-info until they run out', async () => {
    await plane.create(resources.configmaps, {
      metadata: { name: 'cluster-info', namespace: 'kube-public' },
      data: { kubeconfig: 'clusters: []', 'jws-kubeconfig-zzzzzz': 'old' },
    });
    await token('abcdef', plane.clock.now() + HOUR);
    const key = { namespace: 'kube-public', name: 'cluster-info' };
    const name = 'jws-kubeconfig-abcdef';
    const map = await plane.settled(
      resources.configmaps,
      key,
      ({ data }) => data?.[name] !== undefined,
    );
    const [header = '', , signature] = (map.data?.[name] ?? '').split('.');
    expect(Buffer.from(header, 'base64url').toString()).toBe('{"alg":"HS256","kid":"abcdef"}');
    const payload = Buffer.from('clusters: []').toString('base64url');
    const want = createHmac('sha256', '0123456789abcdef').update(`${header}.${payload}`);
    expect(signature).toBe(want.digest('base64url'));
    expect(Object.keys(map.data ?? {})).not.toContain('jws-kubeconfig-zzzzzz');
    await plane.clock.step(1.1 * HOUR, 0);
    await plane.settled(resources.configmaps, key, ({ data }) => data?.[name] === undefined);
    await eventually(async () => {
      const names = (await plane.list(resources.secrets, 'kube-system')).map(
        (s) => s.metadata.name,
      );
      expect(names).not.toContain('bootstrap-token-abcdef');
    });
  });
});

describe('service account tokens in Secrets', () => {
  const TYPE = 'kubernetes.io/service-account-token';

  it('are filled in, and go with their account', async () => {
    const account = await plane.create(resources.serviceaccounts, {
      metadata: { name: 'robot', namespace: 'default' },
    });
    const annotations = { 'kubernetes.io/service-account.name': 'robot' };
    await secret('robot-token', 'default', TYPE, {}, { annotations });
    const key = { namespace: 'default', name: 'robot-token' };
    const { data = {}, metadata } = await plane.settled(resources.secrets, key, (s) =>
      Boolean(s.data?.['token']),
    );
    const text = (name: string): string => Buffer.from(data[name] ?? '', 'base64').toString();
    expect(text('namespace')).toBe('default');
    expect(text('ca.crt')).toContain('BEGIN CERTIFICATE');
    const claims = JSON.parse(
      Buffer.from(text('token').split('.')[1] ?? '', 'base64url').toString(),
    ) as Record<string, string>;
    expect(claims).toMatchObject({
      sub: 'system:serviceaccount:default:robot',
      'kubernetes.io/serviceaccount/secret.name': 'robot-token',
      'kubernetes.io/serviceaccount/service-account.uid': account.metadata.uid,
    });
    expect(metadata.annotations?.['kubernetes.io/service-account.uid']).toBe(account.metadata.uid);
    await plane.client
      .resource(resources.serviceaccounts)
      .delete({ namespace: 'default', name: 'robot' });
    await eventually(async () => {
      const names = (await plane.list(resources.secrets, 'default')).map((s) => s.metadata.name);
      expect(names).not.toContain('robot-token');
    });
  });
});

describe('the root CA', () => {
  it('is published in every namespace, and put back', async () => {
    await plane.createNamespace('new');
    const key = { namespace: 'new', name: 'kube-root-ca.crt' };
    await plane.settled(resources.configmaps, key, ({ data }) => data?.['ca.crt'] !== undefined);
    await plane.client.resource(resources.configmaps).delete(key);
    await plane.settled(resources.configmaps, key, ({ data }) => data?.['ca.crt'] !== undefined);
  });
});
