import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { testClusterPki } from './pki-cache.js';

const HOUR = 3_600_000;

describe('testClusterPki()', () => {
  const before = process.env['XDG_CACHE_HOME'];
  const start = Date.UTC(2026, 0, 1);
  let folder: string;
  /** No two specs may share a block: what was seen of one is remembered. */
  let block = 300;

  const make = async (name: string, nodes = 0, now = start): Promise<string> => {
    const dir = join(folder, name);
    await testClusterPki(
      {
        dir,
        server: `https://127.9.0.1:6443`,
        apiserverSans: { ips: ['127.9.0.1'] },
        nodes: Array.from({ length: nodes }, (_, i) => ({ name: `n${i}`, ips: ['127.9.0.2'] })),
        now,
      },
      block,
    );
    return dir;
  };
  const textOf = (dir: string, ...path: string[]): string =>
    readFileSync(join(dir, ...path), 'utf8');

  beforeEach(() => {
    block += 1;
    folder = mkdtempSync(join(tmpdir(), 'pki-cache-'));
    process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
  });
  afterEach(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
    rmSync(folder, { recursive: true });
  });

  it('gives a later cluster what an earlier one had', async () => {
    const first = await make('a');
    rmSync(first, { recursive: true });
    const second = await make('b');
    const third = await make('c');
    expect(textOf(third, 'pki', 'ca.crt')).toBe(textOf(second, 'pki', 'ca.crt'));
    expect(statSync(join(third, 'pki', 'ca.key')).mode & 0o777).toBe(0o600);
  });

  it('keeps from others what a user writes into a kubeconfig', async () => {
    await make('a');
    const second = await make('b');
    appendFileSync(join(second, 'admin.conf'), '# mine');
    expect(textOf(await make('c'), 'admin.conf')).not.toContain('# mine');
  });

  it('leaves nothing of that in a place that is taken over', async () => {
    await make('a');
    const dir = await make('b');
    const before = textOf(dir, 'admin.conf');
    appendFileSync(join(dir, 'admin.conf'), '# mine');
    rmSync(join(dir, 'scheduler.conf'));
    await make('b');
    expect(textOf(dir, 'admin.conf')).toBe(before);
    expect(textOf(dir, 'scheduler.conf')).toContain('system:kube-scheduler');
  });

  it('adds what a cluster of more nodes needs', async () => {
    await make('a', 1);
    const more = await make('b', 2);
    expect(textOf(more, 'nodes', 'n1', 'kubelet.conf')).toContain('client-certificate-data');
  });

  it('makes anew what is damaged, once it looks again', async () => {
    await make('a');
    const dir = await make('b');
    // The same file as that of the cache.
    writeFileSync(join(dir, 'pki', 'ca.crt'), 'nonsense');
    const later = await make('c', 0, start + 2 * HOUR);
    expect(textOf(later, 'pki', 'ca.crt')).toContain('BEGIN CERTIFICATE');
  });
});
