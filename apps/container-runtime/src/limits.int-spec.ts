import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RuntimeFixture, eventually } from '../test/runtime-fixture.js';
import { Cgroup } from './process/cgroup.js';
import { probeIsolation } from './process/isolation.js';

const MEBIBYTE = 1024 * 1024;
const limited = (memoryLimitInBytes: number) => ({ linux: { resources: { memoryLimitInBytes } } });
/** The files of this machine's version of control groups, and what one says of a fifth of a CPU. */
const filesHere = () =>
  existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? {
        memory: '/sys/fs/cgroup/memory.max',
        cpu: '/sys/fs/cgroup/cpu.max',
        quota: '20000 100000',
      }
    : {
        memory: '/sys/fs/cgroup/memory/memory.limit_in_bytes',
        cpu: '/sys/fs/cgroup/cpu/cpu.cfs_quota_us',
        quota: '20000',
      };

/** Grows until somebody stops it. */
const HOG = ['sh', '-c', 'x=0123456789abcdef; while :; do x=$x$x; done'];

describe('limits of containers', () => {
  let fixture: RuntimeFixture;

  beforeAll(async () => {
    fixture = await RuntimeFixture.start(76);
  });

  afterAll(() => fixture.stop());

  it('kills a process that takes more memory than it may: 137, OOMKilled', async () => {
    const pod = await fixture.runPod('hog');
    const id = await fixture.run(pod.id, 'busybox', { command: HOG, ...limited(24 * MEBIBYTE) });
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  it('kills a program whose script says that it grows', async () => {
    const pod = await fixture.runPod('leak', {
      annotations: { 'orrery.dev/memory-growth': '100Mi' },
    });
    const id = await fixture.run(pod.id, 'nginx', limited(40 * MEBIBYTE));
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  it('reports what the script says, and lets it be below the limit', async () => {
    const annotations = { 'orrery.dev/memory': '64Mi', 'orrery.dev/cpu': '500m' };
    const pod = await fixture.runPod('steady', { annotations });
    const id = await fixture.run(pod.id, 'pause', limited(200 * MEBIBYTE));
    await eventually(async () => {
      const { stats } = await fixture.client.runtime.containerStats({ containerId: id });
      expect(stats?.memory?.workingSetBytes?.value).toBeGreaterThanOrEqual(64 * MEBIBYTE);
      expect(stats?.cpu?.usageCoreNanoSeconds?.value).toBeGreaterThan(50_000_000);
    });
    expect(await fixture.status(id)).toMatchObject({ state: 'CONTAINER_RUNNING' });
  });

  it('tells the same as metrics, with their descriptors', async () => {
    const { runtime } = fixture.client;
    const pod = await fixture.runPod('metered', { annotations: { 'orrery.dev/memory': '10Mi' } });
    const id = await fixture.run(pod.id, 'pause');
    const { descriptors } = await runtime.listMetricDescriptors({});
    const { podMetrics } = await runtime.listPodSandboxMetrics({});
    const own = podMetrics.find(({ podSandboxId }) => podSandboxId === pod.id);
    const [container] = own?.containerMetrics ?? [];
    expect(container?.containerId).toBe(id);
    const described = new Map(descriptors.map((one) => [one.name, one.labelKeys.length]));
    for (const { name, labelValues } of container?.metrics ?? [])
      expect([name, described.get(name)]).toEqual([name, labelValues.length]);
    // No control group is made for a program that is built in.
    expect(container?.metrics.map(({ name }) => name)).not.toContain('container_processes');
    const memory = container?.metrics.find(({ name }) => name.includes('working_set'));
    expect(memory?.value?.value).toBeGreaterThanOrEqual(10 * MEBIBYTE);
    for await (const { podSandboxMetrics } of runtime.streamPodSandboxMetrics({}))
      expect(podSandboxMetrics.map(({ podSandboxId }) => podSandboxId)).toContain(pod.id);
  });

  it('takes a lower limit into account while the container runs', async () => {
    const pod = await fixture.runPod('resized', { annotations: { 'orrery.dev/memory': '64Mi' } });
    const id = await fixture.run(pod.id, 'pause', limited(200 * MEBIBYTE));
    await fixture.client.runtime.updateContainerResources({
      containerId: id,
      linux: { memoryLimitInBytes: 32 * MEBIBYTE },
    });
    expect(await fixture.status(id)).toMatchObject({
      resources: { linux: { memoryLimitInBytes: 32 * MEBIBYTE } },
    });
    expect(await fixture.exited(id)).toMatchObject({ reason: 'OOMKilled' });
  });

  const enforced = Cgroup.probe(`spec-${process.pid}`);
  const root = probeIsolation() === 'root';
  const withGroups = enforced && root ? [{ files: filesHere() }] : [];

  it.each(withGroups)('measures what runs in the group of a container', async () => {
    const { runtime } = fixture.client;
    const pod = await fixture.runPod('measured');
    const id = await fixture.run(pod.id, 'busybox', {
      metadata: { name: 'measured' },
      command: ['sh', '-c', 'sleep 60 & wait'],
      linux: { resources: { cpuQuota: 20_000, cpuPeriod: 100_000 } },
    });
    await eventually(async () => {
      const { podMetrics } = await runtime.listPodSandboxMetrics({});
      const all = podMetrics.flatMap((one) => one.containerMetrics);
      const own = all.find(({ containerId }) => containerId === id)?.metrics ?? [];
      const value = (name: string): number =>
        own.find((metric) => metric.name === name)?.value?.value ?? -1;
      expect(value('container_processes')).toBeGreaterThanOrEqual(2);
      expect(value('container_threads')).toBeGreaterThanOrEqual(2);
      expect(value('container_file_descriptors')).toBeGreaterThan(0);
      expect(value('container_memory_max_usage_bytes')).toBeGreaterThan(0);
      expect(value('container_memory_failures_total')).toBeGreaterThan(0);
      expect(value('container_cpu_cfs_periods_total')).toBeGreaterThanOrEqual(0);
      expect(value('container_oom_events_total')).toBe(0);
    });
    const { stats } = await runtime.podSandboxStats({ podSandboxId: pod.id });
    expect(stats?.linux?.process?.processCount?.value).toBeGreaterThanOrEqual(2);
    expect(stats?.linux?.memory?.pageFaults?.value).toBeGreaterThan(0);
    // It shares the network of all.
    expect(stats?.linux?.network).toBeUndefined();
  });

  it.each(withGroups)('shows a container its own limits', async ({ files }) => {
    const pod = await fixture.runPod('looking');
    const id = await fixture.run(pod.id, 'busybox', {
      metadata: { name: 'looking' },
      command: ['cat', files.memory, files.cpu],
      linux: {
        resources: {
          memoryLimitInBytes: 64 * MEBIBYTE,
          cpuShares: 512,
          cpuQuota: 20_000,
          cpuPeriod: 100_000,
        },
      },
    });
    await fixture.exited(id);
    expect((await fixture.log('looking')).replaceAll('stdout F ', '').trim().split('\n')).toEqual([
      String(64 * MEBIBYTE),
      files.quota,
    ]);
  });

  it.each(withGroups)('holds the containers of a pod to what the pod may use', async () => {
    const resources = { memoryLimitInBytes: 40 * MEBIBYTE };
    const pod = await fixture.runPod('whole', { linux: { resources } });
    const id = await fixture.run(pod.id, 'busybox', { command: HOG });
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 137 });
    await fixture.client.runtime.updatePodSandboxResources({
      podSandboxId: pod.id,
      resources: { memoryLimitInBytes: 1024 * MEBIBYTE },
    });
    const again = await fixture.run(pod.id, 'busybox', {
      metadata: { name: 'again' },
      command: ['sh', '-c', 'x=0123456789abcdef; while [ ${#x} -lt 60000000 ]; do x=$x$x; done'],
    });
    expect(await fixture.exited(again)).toMatchObject({ exitCode: 0 });
  });

  it('writes lines by the script', async () => {
    const annotations = { 'orrery.dev/log-every': '50ms', 'orrery.dev/log-line': 'tick' };
    const pod = await fixture.runPod('talker', { annotations });
    await fixture.run(pod.id, 'pause', { metadata: { name: 'talker' } });
    await eventually(async () => {
      expect((await fixture.log('talker')).match(/stdout F tick/g)?.length).toBeGreaterThan(2);
    });
  });

  it('leaves no control group behind', async () => {
    const pod = await fixture.runPod('gone');
    const id = await fixture.run(pod.id, 'busybox', {
      command: ['sleep', '100'],
      ...limited(64 * MEBIBYTE),
    });
    const { status } = await fixture.client.runtime.podSandboxStatus({ podSandboxId: pod.id });
    const group = Cgroup.open(`pod${status?.metadata?.uid ?? ''}`, id);
    const folders = group?.views.map(({ folder }) => folder) ?? [];
    expect(folders.every((folder) => existsSync(folder))).toBe(true);
    await fixture.client.runtime.removeContainer({ containerId: id });
    const left = folders.flatMap((folder) => [folder, dirname(folder)]);
    expect(left.filter((folder) => existsSync(folder))).toEqual([]);
  });

  it('leaves none behind when it stops', async () => {
    const other = await RuntimeFixture.start(79);
    const pod = await other.runPod('stopped');
    const { status } = await other.client.runtime.podSandboxStatus({ podSandboxId: pod.id });
    const command = ['sh', '-c', 'sleep 100 & sleep 101 & wait'];
    await other.run(pod.id, 'busybox', { command });
    await other.run(pod.id, 'busybox', { metadata: { name: 'second' }, command });
    await other.stop();
    const group = Cgroup.open(`pod${status?.metadata?.uid ?? ''}`);
    expect(group?.remove() ?? true).toBe(true);
  });
});
