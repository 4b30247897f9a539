import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { SteppedClock, SystemClock, silentLogger } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { podOf } from '../../test/builders.js';
import { NodeShutdown } from './node-shutdown.js';
import type { ShutdownGroup } from './node-shutdown.js';

class Bench {
  readonly clock = new SteppedClock(new SystemClock());
  readonly evicted: string[] = [];
  readonly ended = new Set<string>();
  readonly events: string[] = [];
  readonly shutdown: NodeShutdown;

  constructor(file: string, groups: readonly ShutdownGroup[], pods: readonly Pod[]) {
    this.shutdown = new NodeShutdown({
      clock: this.clock,
      logger: silentLogger,
      file,
      groups,
      active: () => pods,
      evict: ({ metadata }, grace, { reason }) => {
        this.evicted.push(`${metadata.name ?? ''} ${grace} ${reason}`);
        return true;
      },
      isTerminating: (uid) => !this.ended.has(uid),
      nodeEvent: (reason, message) => this.events.push(`${reason}: ${message}`),
      changed: () => undefined,
    });
  }
}

describe(NodeShutdown.name, () => {
  it('ends pods group by group, each within its time, and takes no new ones until it is called off', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'shutdown-'));
    const file = join(dir, 'scheduled');
    const pods = [
      podOf('critical', { priority: 2_000_000_000 }),
      podOf('below', { priority: -5, terminationGracePeriodSeconds: 3 }),
      podOf('plain'),
      podOf('high', { priority: 1500 }),
    ];
    const groups = [
      { priority: 0, graceMs: 20_000 },
      { priority: 1000, graceMs: 10_000 },
      { priority: 2_000_000_000, graceMs: 5_000 },
    ];
    const bench = new Bench(file, groups, pods);
    const stop = new AbortController();
    const running = bench.shutdown.start(stop.signal);
    expect(bench.shutdown.refusal()).toBeUndefined();
    await writeFile(file, '');
    await bench.clock.step(1_000);
    await eventually(() => {
      expect(bench.evicted).toEqual(['below 3 Terminated', 'plain 20 Terminated']);
    });
    expect(bench.shutdown.refusal()?.reason).toBe('NodeShutdown');
    for (const pod of pods.slice(1, 3)) bench.ended.add(pod.metadata.uid ?? '');
    await bench.clock.step(200);
    await eventually(() => {
      expect(bench.evicted).toContain('high 10 Terminated');
    });
    // This one does not end; its time does.
    await bench.clock.step(11_000);
    await eventually(() => {
      expect(bench.evicted).toContain('critical 5 Terminated');
    });
    await bench.clock.step(6_000);
    await rm(dir, { recursive: true });
    await eventually(async () => {
      await bench.clock.step(1_000);
      expect(bench.shutdown.problem).toBeUndefined();
    });
    expect(bench.events).toEqual([
      'NodeShutdown: Shutdown manager detected shutdown event',
      'NodeShutdown: Shutdown manager detected shutdown cancellation',
    ]);
    stop.abort();
    await running;
  });
});
