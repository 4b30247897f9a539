import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Container, Pod } from '@orrery/api';
import { asking, podOf, runningOf } from '../../test/builders.js';
import { containerResources } from '../containers/resources.js';
import type { ContainerResources, RuntimeContainer } from '../runtime/runtime.js';
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
