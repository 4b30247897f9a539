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

  /** Time that passes when it is waited for: before each further look the file says the next text. */
  class Pages extends SystemClock {
    looks = 0;
    constructor(
      private readonly texts: readonly string[],
      private readonly stop: AbortController,
    ) {
      super();
    }
    override sleep(): Promise<void> {
      const next = this.texts[this.looks];
      this.looks += 1;
      if (next === undefined) this.stop.abort();
      else writeFileSync(path, next);
      return Promise.resolve();
    }
  }

  it.each<{ name: string; texts: string[]; want: string[] }>([
    {
      name: 'nothing of a file that means what was read',
      texts: [`${text('ipvs')}\n# the same`, `# again\n${text('ipvs')}`],
      want: [],
    },
    {
      name: 'each change once',
      texts: [text('iptables'), text('iptables'), text('ipvs')],
      want: ['iptables', 'ipvs'],
    },
    {
      name: 'nothing of a bad file, and of the next good one what is new in it',
      texts: ['mode: [', text('userspace'), text('iptables')],
      want: ['iptables'],
    },
  ])('tells $name', async ({ texts, want }) => {
    writeFileSync(path, text('ipvs'));
    const current = readConfiguration(path);
    const stop = new AbortController();
    const clock = new Pages(texts, stop);
    const modes: (string | undefined)[] = [];
    const changed = ({ mode }: { mode?: string }): void => {
      modes.push(mode);
    };
    await watchConfiguration({ path, current, clock, logger: silentLogger, changed }, stop.signal);
    expect(clock.looks).toBe(texts.length + 1);
    expect(modes).toEqual(want);
  });
});
