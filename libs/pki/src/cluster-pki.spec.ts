import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createClusterPki } from './index.js';
import type { ClusterPki } from './index.js';

const NOW = Date.parse('2026-11-21T00:00:00Z');

describe('createClusterPki()', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'pki-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  const create = (ips = ['127.7.0.1', '127.7.128.1'], now = NOW): ClusterPki =>
    createClusterPki({
      dir,
      server: 'https://127.7.0.1:6443',
      apiserverSans: { ips },
      nodes: [{ name: 'k8s-01', ips: ['127.7.0.1'] }],
      now,
    });
  const read = (path: string): string => readFileSync(join(dir, path), 'utf8');

  it('writes every file with mode 0600', () => {
    create();
    for (const path of [
      'pki/ca.crt',
      'pki/ca.key',
      'pki/apiserver.crt',
      'pki/apiserver-kubelet-client.key',
      'pki/front-proxy-ca.crt',
      'pki/front-proxy-client.crt',
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

  it('changes nothing the second time', () => {
    create();
    const files = [
      'pki/ca.crt',
      'pki/apiserver.crt',
      'pki/sa.key',
      'admin.conf',
      'nodes/k8s-01/kubelet.conf',
    ];
    const before = files.map(read);
    create();
    expect(files.map(read)).toEqual(before);
  });

  it('issues a new server certificate, but keeps the CA, when an address is added', () => {
    create();
    const ca = read('pki/ca.crt');
    create(['127.7.0.1', '127.7.128.1', '127.8.0.1']);
    expect(read('pki/ca.crt')).toBe(ca);
    expect(new X509Certificate(read('pki/apiserver.crt')).checkIP('127.8.0.1')).toBe('127.8.0.1');
  });

  it('renews certificates that are about to end', () => {
    create();
    const before = read('admin.conf');
    create(undefined, NOW + 350 * 86_400_000);
    expect(read('admin.conf')).not.toBe(before);
  });
});
