import { describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Node } from '@orrery/api';
import { SteppedClock, SystemClock } from '@orrery/component';
import { ClusterFiles } from '../cluster/layout.js';
import { missingNodes, whenReady } from './readiness.js';
import { limitOf } from './up-flags.js';

const node = (name: string, status: string, message = ''): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: {},
  status: { conditions: [{ type: 'Ready', status, message }] },
});
const isReady = ({ status }: Node): boolean => status?.conditions?.[0]?.status === 'True';

describe('what a start that was given up says', () => {
  it('names each node that is missing, and why', () => {
    const nodes = [
      node('k8s-01', 'True'),
      node('k8s-02', 'False', 'container runtime is down'),
      node('k8s-03', 'False'),
    ];
    expect(missingNodes(['k8s-01', 'k8s-02', 'k8s-03', 'k8s-04'], nodes, isReady)).toBe(
      'k8s-02 is not ready (container runtime is down), k8s-03 is not ready, k8s-04 is not registered',
    );
    expect(missingNodes(['k8s-01'], nodes, isReady)).toBeUndefined();
    expect(missingNodes(['k8s-01'], nodes, () => false)).toBe(
      'k8s-01 has not been heard of since the start',
    );
  });

  it.each([
    { name: 'of the process', file: 'nodes' },
    { name: 'of the process that all share', file: 'components' },
  ])('quotes the log $name', async ({ file }) => {
    const dir = mkdtempSync(join(tmpdir(), 'orrery-wait-'));
    try {
      const files = new ClusterFiles(dir);
      mkdirSync(files.logs(), { recursive: true });
      writeFileSync(files.logs(`${file}.log`), 'the last line\n');
      const clock = new SteppedClock(new SystemClock());
      const limit = limitOf({ wait: '90s' }, clock);
      const { signal } = new AbortController();
      const waiting = whenReady({ clock, signal, files, limit, what: 'nodes' }, () =>
        Promise.reject(new Error('connect ECONNREFUSED')),
      ).catch((error: unknown) => error);
      await clock.step(91_000);
      const [line = '', last = ''] = String(await waiting).split('\n');
      expect(line).toBe(
        `ConfigError: the cluster was not ready within 90s (--wait gives it longer): nodes: connect ECONNREFUSED; the end of ${files.logs(`${file}.log`)}:`,
      );
      expect(last.trim()).toBe('the last line');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('refuses a time in which nothing can start', () => {
    expect(() => limitOf({ wait: '0' }, new SystemClock())).toThrow(
      '--wait 0: a cluster needs a second at the least',
    );
  });
});
