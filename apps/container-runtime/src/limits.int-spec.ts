import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RuntimeFixture, eventually } from '../test/runtime-fixture.js';
import { Cgroup } from './process/cgroup.js';

const MEBIBYTE = 1024 * 1024;
const limited = (memoryLimitInBytes: number) => ({ linux: { resources: { memoryLimitInBytes } } });
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
    expect(container?.metrics.map(({ name }) => name)).toEqual(descriptors.map(({ name }) => name));
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
    const folders = Cgroup.open(id)?.memberFiles ?? [];
    await fixture.client.runtime.removeContainer({ containerId: id });
    expect(folders.filter((file) => existsSync(file))).toEqual([]);
  });
});
