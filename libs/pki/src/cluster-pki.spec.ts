import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createCa,
  createClusterPki,
  issueCertificate,
  parseCa,
  subjectOf,
  toKubeconfig,
} from './index.js';
import type { ClusterPki, IssueOptions } from './index.js';

const NOW = Date.parse('2026-11-21T00:00:00Z');

describe('createClusterPki()', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'pki-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  const create = (ips = ['127.7.0.1', '127.7.128.1'], now = NOW): Promise<ClusterPki> =>
    createClusterPki({
      dir,
      server: 'https://127.7.0.1:6443',
      apiserverSans: { ips },
      nodes: [{ name: 'k8s-01', ips: ['127.7.0.1'] }],
      now,
    });
  const read = (path: string): string => readFileSync(join(dir, path), 'utf8');
  const embedded = (path: string): Buffer =>
    Buffer.from(/client-certificate-data: (\S+)/.exec(read(path))?.[1] ?? '', 'base64');

  it('writes every file with mode 0600', async () => {
    await create();
    for (const path of [
      'pki/ca.crt',
      'pki/ca.key',
      'pki/apiserver.crt',
      'pki/apiserver-kubelet-client.key',
      'pki/front-proxy-ca.crt',
      'pki/front-proxy-client.crt',
      'pki/health.crt',
      'pki/sa.key',
      'pki/sa.pub',
      'admin.conf',
      'controller-manager.conf',
      'scheduler.conf',
      'nodes/k8s-01/kubelet.conf',
      'nodes/k8s-01/pki/kubelet.crt',
      'nodes/k8s-01/pki/kubelet.key',
    ])
      expect({ path, mode: statSync(join(dir, path)).mode & 0o777 }).toEqual({ path, mode: 0o600 });
  });

  it('changes nothing the second time', async () => {
    await create();
    const files = [
      'pki/ca.crt',
      'pki/apiserver.crt',
      'pki/sa.key',
      'admin.conf',
      'nodes/k8s-01/kubelet.conf',
    ];
    const before = files.map(read);
    await create();
    expect(files.map(read)).toEqual(before);
  });

  it('issues a new server certificate, but keeps the CA, when an address is added', async () => {
    await create();
    const ca = read('pki/ca.crt');
    await create(['127.7.0.1', '127.7.128.1', '127.8.0.1']);
    expect(read('pki/ca.crt')).toBe(ca);
    expect(new X509Certificate(read('pki/apiserver.crt')).checkIP('127.8.0.1')).toBe('127.8.0.1');
  });

  it('keeps a certificate for an IPv6 address', async () => {
    await create(['fd00::7:1']);
    const before = read('pki/apiserver.crt');
    await create(['FD00::7:1']);
    expect(read('pki/apiserver.crt')).toBe(before);
  });

  it('gives every identity of the cluster its groups', async () => {
    await create();
    expect(subjectOf(embedded('admin.conf')).organizations).toEqual(['system:masters']);
    expect(subjectOf(embedded('scheduler.conf')).organizations).toEqual([]);
    expect(subjectOf(embedded('nodes/k8s-01/kubelet.conf'))).toEqual({
      commonName: 'system:node:k8s-01',
      organizations: ['system:nodes'],
    });
  });

  it.each([
    { name: 'other groups', have: { commonName: 'kubernetes-admin', organizations: ['a'] } },
    { name: 'no groups', have: { commonName: 'kubernetes-admin' } },
    { name: 'another name', have: { commonName: 'eve', organizations: ['system:masters'] } },
  ])('replaces a kubeconfig whose certificate has $name', async ({ have }) => {
    await create();
    const ca = parseCa({ certPem: read('pki/ca.crt'), keyPem: read('pki/ca.key') });
    const issue: IssueOptions = { ...have, usages: ['clientAuth'], now: NOW };
    const stale = toKubeconfig({
      clusterName: 'kubernetes',
      server: 'https://127.7.0.1:6443',
      caPem: ca.certPem,
      userName: 'kubernetes-admin',
      credentials: await issueCertificate(ca, issue),
    });
    writeFileSync(join(dir, 'admin.conf'), stale);
    await create();
    expect(subjectOf(embedded('admin.conf'))).toEqual({
      commonName: 'kubernetes-admin',
      organizations: ['system:masters'],
    });
  });

  it('names a CA that cannot be used, and replaces nothing', async () => {
    await create();
    writeFileSync(join(dir, 'pki/ca.key'), (await createCa('other', NOW)).keyPem);
    const before = read('admin.conf');
    await expect(create()).rejects.toThrow(`the certificate authority ${dir}/pki/ca.crt`);
    expect(read('admin.conf')).toBe(before);
  });

  it('renews certificates that are about to end', async () => {
    await create();
    const before = read('admin.conf');
    await create(undefined, NOW + 350 * 86_400_000);
    expect(read('admin.conf')).not.toBe(before);
  });
});
