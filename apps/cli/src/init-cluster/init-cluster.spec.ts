import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseFlags } from '@orrery/component';
import { readCompletion } from './completion.js';
import { InitClusterFlags, initCluster } from './init-cluster.js';

describe('initCluster()', () => {
  let dir = '';
  const read = (...path: string[]): string => readFileSync(join(dir, ...path), 'utf8');
  const init = (...more: string[]): Promise<string> =>
    initCluster(
      parseFlags(InitClusterFlags, [
        `--dir=${dir}`,
        '--server=https://apiserver:6443',
        '--external-server=https://127.0.0.1:16443',
        '--nodes=node-1,node-2',
        ...more,
      ]),
    );

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'orrery-init-'));
    await init();
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  it('makes the API server known by both its names and by the first service address', () => {
    const { subjectAltName } = new X509Certificate(read('pki', 'apiserver.crt'));
    for (const name of ['DNS:apiserver', 'IP Address:127.0.0.1', 'IP Address:10.96.0.1'])
      expect(subjectAltName).toContain(name);
  });

  it('sends components to the inner address and users to the outer', () => {
    expect(read('nodes', 'node-2', 'kubelet.conf')).toContain('https://apiserver:6443');
    expect(read('kubeconfig')).toContain('https://127.0.0.1:16443');
  });

  it('gives each node the authority of its clients, and its key to nobody else', () => {
    expect(read('nodes', 'node-1', 'pki', 'ca.crt')).toBe(read('pki', 'ca.crt'));
    expect(statSync(join(dir, 'kubeconfig')).mode & 0o077).toBe(0);
  });

  it('keeps what is there when it runs again', async () => {
    const before = read('pki', 'ca.crt') + read('nodes', 'node-1', 'kubelet.conf');
    await init();
    expect(read('pki', 'ca.crt') + read('nodes', 'node-1', 'kubelet.conf')).toBe(before);
  });

  it('says last that all is there, to the nodes too, and of a renewal in time', async () => {
    await init('--completion=16443');
    for (const folder of [dir, join(dir, 'nodes')]) {
      const { of, renewAt } = (await readCompletion(folder)) ?? {};
      expect(of).toBe('16443');
      expect(renewAt).toBeLessThan(Date.parse(new X509Certificate(read('pki', 'ca.crt')).validTo));
    }
  });

  it('says it no more while files for other values are made', async () => {
    await init('--completion=16443');
    writeFileSync(join(dir, 'pki', 'ca.key'), 'broken');
    await expect(init('--completion=16444')).rejects.toThrow('certificate authority');
    expect(await readCompletion(dir)).toBeUndefined();
  });

  it('goes on to say it while nothing changes', async () => {
    await init('--completion=16443');
    writeFileSync(join(dir, 'pki', 'ca.key'), 'broken');
    await expect(init('--completion=16443')).rejects.toThrow('certificate authority');
    expect(await readCompletion(join(dir, 'nodes'))).toMatchObject({ of: '16443' });
  });

  it.each([
    ['a service range that is none', ['--service-cidr=999.96.0.0/12'], /service-cidr must be/],
    ['a pod range that is none', ['--cluster-cidr=10.244.0.0/33'], /cluster-cidr must be/],
    ['ranges that overlap', ['--cluster-cidr=10.100.0.0/16'], /overlap/],
  ])('refuses %s', async (_what, flags, message) => {
    const refused = async (): Promise<unknown> =>
      initCluster(
        parseFlags(InitClusterFlags, [`--dir=${dir}`, '--server=https://apiserver:6443', ...flags]),
      );
    await expect(refused()).rejects.toThrow(message);
  });
});
