import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock, silentLogger } from '@orrery/component';
import { readConfiguration, watchConfiguration } from './read-configuration.js';

const text = (mode: string): string =>
  `{"apiVersion":"kubeproxy.config.k8s.io/v1alpha1","kind":"KubeProxyConfiguration","mode":"${mode}"}`;

describe('watchConfiguration()', () => {
  let dir: string;
  let path: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kube-proxy-'));
    path = join(dir, 'config.conf');
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  it('tells of a change that came after the file was read and before it was watched', async () => {
    writeFileSync(path, text('ipvs'));
    const current = readConfiguration(path);
    writeFileSync(path, text('iptables'));
    const stop = new AbortController();
    const modes: (string | undefined)[] = [];
    const options = { path, current, clock: new SystemClock(), logger: silentLogger };
    await watchConfiguration(
      {
        ...options,
        changed: ({ mode }) => {
          modes.push(mode);
          stop.abort();
        },
      },
      stop.signal,
    );
    expect(modes).toEqual(['iptables']);
  });

  it('says nothing of a file that means what was read', async () => {
    writeFileSync(path, text('ipvs'));
    const current = readConfiguration(path);
    writeFileSync(path, `${text('ipvs')}\n# the same`);
    const stop = new AbortController();
    let told = 0;
    const changed = (): void => {
      told += 1;
    };
    const options = { path, current, clock: new SystemClock(), logger: silentLogger, changed };
    const watching = watchConfiguration(options, stop.signal);
    stop.abort();
    await watching;
    expect(told).toBe(0);
  });
});
