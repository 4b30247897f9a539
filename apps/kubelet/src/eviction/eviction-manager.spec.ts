import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { SteppedClock, SystemClock, silentLogger, createMetrics } from '@orrery/component';
import { asking, podOf, usageOf } from '../../test/builders.js';
import type { PodFailure } from '../pod-workers/worker-hooks.js';
import type { ContainerUsage } from '../runtime/runtime.js';
import { nodeMetrics } from '../metrics/node-metrics.js';
import { EvictionManager, pressureConditions } from './eviction-manager.js';
import type { Observations } from './observations.js';
import type { PodStorage } from './local-storage.js';
import { rankPods, toBinaryText, useOf } from './rank-pods.js';
import { parseThresholds } from './thresholds.js';

const MI = 1024 * 1024;

class Bench {
  readonly clock = new SteppedClock(new SystemClock());
  readonly evicted: { name: string; grace: number; failure: PodFailure }[] = [];
  readonly nodeEvents: string[] = [];
  readonly terminating = new Set<string>();
  pods: Pod[] = [];
  usage: ContainerUsage[] = [];
  observations: Observations = {};
  reclaimed = 0;
  readonly storage = new Map<string, PodStorage>();
  readonly manager: EvictionManager;
  private readonly metrics = createMetrics();

  constructor(thresholds: Parameters<typeof parseThresholds>[0]) {
    this.manager = new EvictionManager({
      thresholds: parseThresholds(thresholds),
      clock: this.clock,
      logger: silentLogger,
      transitionMs: 60_000,
      maxPodGraceSeconds: 7,
      observe: () => Promise.resolve(this.observations),
      usage: () => Promise.resolve(this.usage),
      active: () => this.pods,
      storageOf: (pod) =>
        Promise.resolve(
          this.storage.get(pod.metadata.name ?? '') ?? {
            containers: new Map(),
            volumes: new Map(),
            inodes: 0,
          },
        ),
      evict: (pod, grace, failure) => {
        this.evicted.push({ name: pod.metadata.name ?? '', grace, failure });
        this.terminating.add(pod.metadata.uid ?? '');
        return true;
      },
      isTerminating: (uid) => this.terminating.has(uid),
      reclaimDisk: () => {
        this.reclaimed++;
        return Promise.resolve();
      },
      podEvent: () => undefined,
      nodeEvent: (reason, message) => this.nodeEvents.push(`${reason}: ${message}`),
      changed: () => undefined,
      metrics: nodeMetrics(this.metrics),
    });
  }

  /** The samples of one metric. */
  async metric(name: string): Promise<string[]> {
    const lines = (await this.metrics.text()).split('\n');
    return lines.filter((line) => line.startsWith(`${name}{`));
  }

  memory(mebibytes: number): void {
    const available = mebibytes * MI;
    this.observations = { 'memory.available': { available, capacity: 1000 * MI } };
  }
}

const HARD = {
  hard: { 'memory.available': '100Mi' },
  soft: {},
  softGracePeriod: {},
  minimumReclaim: {},
};

describe(EvictionManager.name, () => {
  it('leaves a healthy node alone', async () => {
    const bench = new Bench(HARD);
    bench.memory(500);
    bench.pods = [podOf('a')];
    await bench.manager.look();
    expect([bench.evicted, bench.manager.pressures]).toEqual([[], []]);
  });

  it('evicts one pod at a time, with the reason that upstream gives', async () => {
    const bench = new Bench(HARD);
    const pods = [podOf('small', {}, asking('10Mi')), podOf('big', {}, asking('10Mi'))] as const;
    bench.pods = [...pods];
    bench.usage = [usageOf(pods[0], 20 * MI), usageOf(pods[1], 500 * MI)];
    bench.memory(50);
    await bench.manager.look();
    await bench.manager.look();
    expect(bench.evicted).toMatchObject([
      {
        name: 'big',
        grace: 1,
        failure: {
          reason: 'Evicted',
          message:
            'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container c was using 500Mi, request is 10Mi, has larger consumption of memory. ',
          condition: { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' },
        },
      },
    ]);
    expect(bench.nodeEvents).toContain('EvictionThresholdMet: Attempting to reclaim memory');
    bench.terminating.clear();
    await bench.manager.look();
    expect(bench.evicted.map(({ name }) => name)).toEqual(['big', 'big']);
  });

  it('waits out the grace of a soft threshold, and gives the pod time', async () => {
    const bench = new Bench({
      hard: {},
      soft: { 'memory.available': '100Mi' },
      softGracePeriod: { 'memory.available': '30s' },
      minimumReclaim: {},
    });
    bench.pods = [podOf('a')];
    bench.memory(50);
    await bench.manager.look();
    expect(bench.evicted).toEqual([]);
    await bench.clock.step(31_000);
    await bench.manager.look();
    expect(bench.evicted).toMatchObject([{ name: 'a', grace: 7 }]);
  });

  it('shows the pressure for a while after it has gone, and refuses what would make it worse', async () => {
    const bench = new Bench(HARD);
    bench.memory(50);
    await bench.manager.look();
    bench.memory(900);
    await bench.manager.look();
    expect(bench.manager.pressures).toEqual(['MemoryPressure']);
    expect(bench.manager.refusal(podOf('best-effort'))).toEqual({
      reason: 'Evicted',
      message: 'The node had condition: [MemoryPressure]. ',
    });
    expect(bench.manager.refusal(podOf('asks', {}, asking('1Mi')))).toBeUndefined();
    expect(bench.manager.refusal(podOf('vital', { priority: 2_000_000_000 }))).toBeUndefined();
    await bench.clock.step(61_000);
    expect(bench.manager.pressures).toEqual([]);
  });

  it('frees what belongs to no pod before it evicts for the disk', async () => {
    const bench = new Bench({ ...HARD, hard: { 'nodefs.available': '10%' } });
    bench.pods = [podOf('a')];
    bench.observations = { 'nodefs.available': { available: 1, capacity: 100 } };
    await bench.manager.look();
    expect([bench.reclaimed, bench.evicted.length]).toEqual([1, 1]);
    expect(bench.manager.refusal(podOf('any', {}, asking('1Mi')))?.message).toContain(
      '[DiskPressure]',
    );
  });
});

describe('the disk', () => {
  const written = (container: number, volume = 0, inodes = 1): PodStorage => ({
    inodes,
    containers: new Map([['c', container]]),
    volumes: new Map([['v', volume]]),
  });

  it('is freed of all pods that hold more than their limit, whatever is left', async () => {
    const bench = new Bench(HARD);
    bench.memory(500);
    const limits = { resources: { limits: { 'ephemeral-storage': '10Mi' } } };
    bench.pods = [podOf('within', {}, limits), podOf('a', {}, limits), podOf('b', {}, limits)];
    bench.storage.set('within', written(9 * MI));
    bench.storage.set('a', written(11 * MI));
    bench.storage.set('b', written(12 * MI));
    await bench.manager.look();
    expect(bench.evicted).toMatchObject([
      {
        name: 'a',
        failure: {
          reason: 'Evicted',
          message: 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ',
        },
      },
      { name: 'b' },
    ]);
    expect(await bench.metric('kubelet_evictions')).toEqual([
      'kubelet_evictions{eviction_signal="ephemeralpodfs.limit"} 2',
    ]);
  });

  it('is taken from who uses most of it when it is short', async () => {
    const bench = new Bench({ ...HARD, hard: { 'nodefs.available': '10Mi' } });
    bench.pods = [podOf('small'), podOf('big', { volumes: [{ name: 'v', emptyDir: {} }] })];
    bench.storage.set('small', written(5 * MI));
    bench.storage.set('big', written(3 * MI, 9 * MI));
    bench.observations = { 'nodefs.available': { available: MI, capacity: 100 * MI } };
    await bench.manager.look();
    expect(bench.evicted).toMatchObject([
      {
        name: 'big',
        failure: {
          message:
            'The node was low on resource: ephemeral-storage. Threshold quantity: 10Mi, available: 1Mi. Container c was using 3Mi, request is 0, has larger consumption of ephemeral-storage. ',
        },
      },
    ]);
  });
});

describe('inodes', () => {
  it('are taken from who has most files, however small', async () => {
    const bench = new Bench({ ...HARD, hard: { 'nodefs.inodesFree': '10' } });
    bench.pods = [podOf('large'), podOf('many')];
    const held = (bytes: number, inodes: number): PodStorage => ({
      containers: new Map([['c', bytes]]),
      volumes: new Map(),
      inodes,
    });
    bench.storage.set('large', held(900 * MI, 3));
    bench.storage.set('many', held(MI, 5_000));
    bench.observations = { 'nodefs.inodesFree': { available: 4, capacity: 10_000 } };
    await bench.manager.look();
    const message = 'The node was low on resource: inodes. Threshold quantity: 10, available: 4. ';
    expect(bench.evicted).toMatchObject([{ name: 'many', failure: { message } }]);
  });
});

describe('rankPods()', () => {
  it('puts pods above their requests first, then low priority, then the greatest excess', () => {
    const within = podOf('within', { priority: -5 }, asking('100Mi'));
    const high = podOf('high', { priority: 10 }, asking('1Mi'));
    const low = podOf('low', { priority: 0 }, asking('1Mi'));
    const greedy = podOf('greedy', { priority: 0 }, asking('1Mi'));
    const vital = podOf('vital', { priority: 2_000_001_000 });
    const pods = [within, high, low, greedy, vital];
    const usage = [
      usageOf(within, 50 * MI),
      usageOf(high, 900 * MI),
      usageOf(low, 20 * MI),
      usageOf(greedy, 30 * MI),
      usageOf(vital, 999 * MI),
    ];
    const uses = pods.map((pod) => useOf(pod, usage, 'memory'));
    expect(rankPods(uses, 'memory').map(({ pod }) => pod.metadata.name)).toEqual([
      'greedy',
      'low',
      'high',
      'within',
    ]);
  });
});

describe('pressureConditions()', () => {
  it('says each of the three, bad or good', () => {
    expect(pressureConditions(['PIDPressure']).map(({ reason }) => reason)).toEqual([
      'KubeletHasSufficientMemory',
      'KubeletHasNoDiskPressure',
      'KubeletHasInsufficientPID',
    ]);
  });
});

describe('toBinaryText()', () => {
  it.each([
    [0, '0'],
    [1023, '1023'],
    [1024, '1Ki'],
    [500 * MI, '500Mi'],
    [1025 * 1024, '1025Ki'],
  ])('%d is %s', (amount, text) => {
    expect(toBinaryText(amount)).toBe(text);
  });
});
