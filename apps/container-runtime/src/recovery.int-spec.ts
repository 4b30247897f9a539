import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RuntimeFixture, eventually } from '../test/runtime-fixture.js';

describe('container runtime over time', () => {
  let fixture: RuntimeFixture;

  beforeEach(async () => {
    fixture = await RuntimeFixture.start(72);
  });

  afterEach(() => fixture.stop());

  it('remembers pods, images and its pod CIDR; what it ran has ended', async () => {
    const pod = await fixture.runPod('kept');
    const id = await fixture.run(pod.id, 'nginx:1');
    await fixture.halt();
    await fixture.boot();
    const { items } = await fixture.client.runtime.listPodSandbox({});
    expect(items).toMatchObject([{ id: pod.id, state: 'SANDBOX_READY' }]);
    expect(await fixture.status(id)).toMatchObject({
      state: 'CONTAINER_EXITED',
      exitCode: 137,
      reason: 'Error',
    });
    const again = await fixture.runPod('new');
    expect(again.ip).not.toBe(pod.ip);
    const { images } = await fixture.client.images.listImages({});
    expect(images).toHaveLength(1);
  });

  it('leaves no host process behind when it stops', async () => {
    const pod = await fixture.runPod('process');
    const id = await fixture.run(pod.id, 'busybox', { command: ['sleep', '100'] });
    const { info } = await fixture.client.runtime.containerStatus({
      containerId: id,
      verbose: true,
    });
    const { pid } = JSON.parse(info['info'] ?? '{}') as { pid: number };
    expect(() => process.kill(pid, 0)).not.toThrow();
    await fixture.halt();
    await eventually(() => {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    });
    await fixture.boot();
    expect(await fixture.status(id)).toMatchObject({ state: 'CONTAINER_EXITED' });
  });

  it('adopts the process of a static pod, with its log, and ends with it', async () => {
    const cluster = join(fixture.folder, 'cluster');
    await mkdir(join(cluster, 'run'), { recursive: true });
    await mkdir(join(cluster, 'logs'));
    await writeFile(join(cluster, 'logs', 'etcd.log'), 'etcd says\n');
    const child = spawn('sleep', ['100']);
    await once(child, 'spawn');
    await writeFile(join(cluster, 'run', 'etcd.pid'), `${child.pid ?? 0}\n`);
    const pod = await fixture.runPod('etcd', { annotations: { 'orrery.dev/process': 'etcd' } });
    const id = await fixture.run(pod.id, 'registry.k8s.io/etcd:3.5');
    expect(await fixture.status(id)).toMatchObject({ state: 'CONTAINER_RUNNING' });
    await eventually(async () => {
      expect(await fixture.log()).toContain('etcd says');
    });
    await fixture.halt();
    await fixture.boot();
    expect(await fixture.status(id)).toMatchObject({ state: 'CONTAINER_RUNNING' });
    expect((await fixture.log()).match(/etcd says/g)).toHaveLength(1);
    child.kill('SIGKILL');
    expect(await fixture.exited(id)).toMatchObject({ reason: 'Error' });
  });
});
