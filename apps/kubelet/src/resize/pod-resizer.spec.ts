import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Container, Pod } from '@orrery/api';
import { asking, podOf, runningOf } from '../../test/builders.js';
import { containerResources } from '../containers/resources.js';
import type { ContainerResources, PodResources, RuntimeContainer } from '../runtime/runtime.js';
import { AllocationStore } from './allocation-store.js';
import { PodResizer } from './pod-resizer.js';
import { decideResize } from './resize-decision.js';

const ALLOCATABLE = { cpu: '2', memory: '1Gi' };
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

class Bench {
  readonly events: string[] = [];
  readonly updates: [string, ContainerResources][] = [];
  readonly podUpdates: [string, PodResources][] = [];
  readonly retried: string[] = [];
  active: Pod[] = [];
  failure: Error | undefined;
  readonly resizer: PodResizer;

  constructor(file?: string) {
    this.resizer = new PodResizer({
      store: new AllocationStore(file),
      runtime: {
        updateContainerResources: (id, resources) => {
          if (this.failure) return Promise.reject(this.failure);
          this.updates.push([id, resources]);
          return Promise.resolve();
        },
        updatePodResources: (id, resources) => {
          this.podUpdates.push([id, resources]);
          return Promise.resolve();
        },
      },
      events: { pod: (_pod, _type, reason) => this.events.push(reason) },
      active: () => this.active,
      allocatable: () => ALLOCATABLE,
      memoryCapacity: () => 2 ** 30,
      retry: (uids) => this.retried.push(...uids),
    });
  }

  container(pod: Pod): RuntimeContainer {
    const [spec = { name: 'c' }] = pod.spec.containers;
    return runningOf('c', { resources: containerResources(pod, spec, 2 ** 30) });
  }
}

const wish = (pod: Pod, container: Partial<Container>): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, generation: (pod.metadata.generation ?? 0) + 1 },
  spec: { ...pod.spec, containers: [{ name: 'c', image: 'i', ...container }] },
});
const conditionsOf = (bench: Bench, pod: Pod, container: RuntimeContainer): unknown[] =>
  bench.resizer.conditions(pod, [container]).map(({ type, reason }) => [type, reason]);

describe('the resources of a pod as a whole', () => {
  const whole = (cpu: string, own = '500m'): Pod =>
    podOf('a', { resources: { requests: { cpu }, limits: { cpu } } }, asking('100Mi', own));
  const again = (pod: Pod): Pod => ({ ...pod, metadata: { ...pod.metadata, generation: 2 } });

  it.each<{ name: string; from: string; to: string; want: number[] }>([
    { name: 'before the containers when they grow', from: '1', to: '2', want: [200_000] },
    { name: 'after the containers when they shrink', from: '2', to: '1', want: [200_000, 100_000] },
  ])('change $name', async ({ from, to, want }) => {
    const bench = new Bench();
    const { resizer } = bench;
    resizer.whole.made(resizer.allocated(whole(from)), 's');
    const wanted = resizer.allocated(again(whole(to)));
    expect(resizer.whole.isOpen(wanted, 's')).toBe(true);
    await resizer.applyWhole(wanted, 's', 'grow');
    const grown = bench.podUpdates.map(([, { cpuQuota }]) => cpuQuota);
    expect(grown).toEqual(want.filter((quota) => quota > 100_000).slice(0, to === '2' ? 1 : 0));
    await resizer.applyWhole(wanted, 's', 'fit');
    expect(bench.podUpdates.at(-1)).toMatchObject(['s', { cpuQuota: want.at(-1) }]);
    expect(resizer.whole.isOpen(wanted, 's')).toBe(false);
    expect(conditionsOf(bench, wanted, bench.container(wanted))).toEqual([]);
    expect(bench.events).toEqual(['ResizeStarted', 'ResizeCompleted']);
  });

  it('wait as those of containers do', () => {
    const bench = new Bench();
    bench.resizer.allocated(whole('1'));
    const greedy = bench.resizer.allocated(again(whole('3')));
    expect(greedy.spec.resources).toEqual(whole('1').spec.resources);
    expect(conditionsOf(bench, greedy, bench.container(greedy))).toEqual([
      ['PodResizePending', 'Infeasible'],
    ]);
  });

  it('are asked for where there were none', () => {
    const bench = new Bench();
    const plain = podOf('a', {}, asking('100Mi'));
    bench.resizer.allocated(plain);
    const wanted = {
      ...again(plain),
      spec: { ...plain.spec, resources: { requests: { cpu: '3' } } },
    };
    expect(bench.resizer.allocated(wanted).spec).not.toHaveProperty('resources');
  });

  it('are not known of a sandbox that an earlier kubelet made', () => {
    expect(new Bench().resizer.whole.isOpen(whole('1'), 's')).toBe(true);
  });

  it('are in the status, with what the containers ask for', () => {
    const { whole: level } = new Bench().resizer;
    expect(level.statusOf(whole('2'), {})).toEqual({
      allocatedResources: { cpu: '2', memory: '100Mi' },
      resources: { requests: { cpu: '2', memory: '100Mi' }, limits: { cpu: '2' } },
    });
    const limits = { cpu: '1', memory: '1Gi' };
    const limited = podOf('b', {}, { resources: { requests: { cpu: '1' }, limits } });
    expect(level.statusOf(limited, {}).resources).toEqual({ requests: { cpu: '1' }, limits });
    expect(level.statusOf(podOf('c'), {})).toEqual({ resources: {} });
  });

  it('bound containers that have no limits', () => {
    const [container = { name: 'c' }] = whole('2').spec.containers;
    expect(containerResources(whole('2'), container, 2 ** 30)).toMatchObject({
      cpuShares: 512,
      cpuQuota: 200_000,
    });
  });
});

describe(PodResizer.name, () => {
  it('grants, applies and finishes a resize', async () => {
    const bench = new Bench();
    const pod = podOf('a', {}, asking('100Mi', '500m'));
    bench.resizer.allocated(pod);
    const running = bench.container(pod);
    const wanted = bench.resizer.allocated(wish(pod, asking('200Mi', '1')));
    const [spec = { name: '' }] = wanted.spec.containers;
    expect(bench.resizer.plan(wanted, spec, running)).toBe('update');
    expect(conditionsOf(bench, wanted, running)).toEqual([['PodResizeInProgress', undefined]]);
    await bench.resizer.apply(wanted, spec, running);
    expect(bench.updates).toMatchObject([['id-c', { cpuShares: 1024 }]]);
    expect(conditionsOf(bench, wanted, bench.container(wanted))).toEqual([]);
    expect(bench.events).toEqual(['ResizeStarted', 'ResizeCompleted']);
    expect(bench.resizer.statusOf(wanted, 'c', bench.container(wanted), undefined)).toEqual({
      allocatedResources: { memory: '200Mi', cpu: '1' },
      resources: { requests: { memory: '200Mi', cpu: '1' } },
    });
  });

  it('keeps what was granted while a wish cannot be met, and tries again when others end', () => {
    const bench = new Bench();
    const pod = podOf('a', {}, asking('100Mi', '500m'));
    const other = podOf('b', {}, asking('100Mi', '1'));
    bench.resizer.allocated(pod);
    bench.resizer.allocated(other);
    bench.active = [pod, other];
    const greedy = wish(pod, asking('100Mi', '1500m'));
    const kept = bench.resizer.allocated(greedy);
    expect(kept.spec.containers[0]?.resources?.requests?.['cpu']).toBe('500m');
    expect(conditionsOf(bench, greedy, bench.container(pod))).toEqual([
      ['PodResizePending', 'Deferred'],
    ]);
    bench.active = [pod];
    bench.resizer.forget('uid-b');
    expect(bench.retried).toEqual(['uid-a']);
    const granted = bench.resizer.allocated(greedy);
    expect(granted.spec.containers[0]?.resources?.requests?.['cpu']).toBe('1500m');
  });

  it('restarts the container where its policy says so', () => {
    const bench = new Bench();
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
    const limits = (memory: string, cpu: string): Partial<Container> => ({
      resizePolicy,
      resources: { requests: { memory, cpu }, limits: { memory, cpu } },
    });
    const pod = podOf('a', {}, limits('100Mi', '1'));
    const running = bench.container(pod);
    bench.resizer.allocated(pod);
    const plan = (wanted: Pod): string => {
      const [spec = { name: '' }] = wanted.spec.containers;
      return bench.resizer.plan(wanted, spec, running);
    };
    expect(plan(wish(pod, limits('100Mi', '2')))).toBe('update');
    expect(plan(wish(pod, limits('200Mi', '1')))).toBe('restart');
  });

  it('shows a refusal of the runtime until it is overcome', async () => {
    const bench = new Bench();
    const pod = podOf('a', {}, asking('100Mi', '500m'));
    bench.resizer.allocated(pod);
    const wanted = bench.resizer.allocated(wish(pod, asking('100Mi', '1')));
    const [spec = { name: '' }] = wanted.spec.containers;
    bench.failure = new Error('device or resource busy');
    await expect(bench.resizer.apply(wanted, spec, bench.container(pod))).rejects.toThrow('busy');
    expect(conditionsOf(bench, wanted, bench.container(pod))).toEqual([
      ['PodResizeInProgress', 'Error'],
    ]);
    expect(bench.events).toContain('ResizeError');
  });

  it('remembers over a restart what was granted', () => {
    const folder = mkdtempSync(join(tmpdir(), 'resize-'));
    folders.push(folder);
    const file = join(folder, 'allocated_pods_state');
    const pod = podOf('a', {}, asking('100Mi', '500m'));
    new Bench(file).resizer.allocated(pod);
    const again = new Bench(file).resizer.granted(wish(pod, asking('900Mi', '2')));
    expect(again.spec.containers[0]?.resources?.requests).toEqual({ memory: '100Mi', cpu: '500m' });
  });
});

describe('decideResize()', () => {
  const others = [podOf('other', {}, asking('500Mi', '1'))];
  it.each<[string, Pod, string, string]>([
    ['what fits', podOf('a', {}, asking('100Mi', '1')), 'granted', ''],
    [
      'more than the node has',
      podOf('a', {}, asking('100Mi', '3')),
      'Infeasible',
      "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
    ],
    [
      'more than is free',
      podOf('a', {}, asking('100Mi', '1500m')),
      'Deferred',
      "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
    ],
  ])('judges %s', (_name, pod, verdict, message) => {
    const decision = decideResize({ pod, others, allocatable: ALLOCATABLE });
    expect([decision.verdict, 'message' in decision ? decision.message : '']).toEqual([
      verdict,
      message,
    ]);
  });

  it('never resizes static pods', () => {
    const pod = podOf('a', {}, asking('1Mi'));
    const shown = {
      ...pod,
      metadata: { ...pod.metadata, annotations: { 'kubernetes.io/config.source': 'file' } },
    };
    expect(decideResize({ pod: shown, others: [], allocatable: ALLOCATABLE })).toMatchObject({
      verdict: 'Infeasible',
    });
  });
});
