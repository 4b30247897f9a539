import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MountPropagation } from '@orrery/cri';
import { RuntimeFixture, eventually } from '../test/runtime-fixture.js';
import { probeIsolation } from './process/isolation.js';

const isRoot = probeIsolation() === 'root';
const mount = (...args: string[]): void => {
  execFileSync('mount', args);
};
const mountsBelow = (folder: string): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
    .map((path) => path.slice(folder.length + 1))
    .sort();

describe('mount propagation', () => {
  let fixture: RuntimeFixture;
  let pod = '';
  /** Holds the runtime's own folder too, as the one file system of most machines. */
  let machine = '';

  beforeEach(async () => {
    if (!isRoot) return;
    fixture = await RuntimeFixture.start(81, 'root', (folder) => {
      machine = folder;
      mount('--bind', folder, folder);
      mount('--make-shared', folder);
    });
    mkdirSync(join(machine, 'shared'));
    pod = (await fixture.runPod('mounts')).id;
  });

  afterEach(async () => {
    if (!isRoot) return;
    await fixture.halt();
    for (const path of [
      ...mountsBelow(machine)
        .reverse()
        .map((name) => join(machine, name)),
      machine,
    ])
      execFileSync('umount', ['--lazy', path]);
    await fixture.stop();
  });

  const run = (name: string, propagation: MountPropagation, script: string) =>
    fixture.run(pod, 'busybox', {
      metadata: { name },
      command: ['sh', '-c', `${script}; while :; do sleep 600; done`],
      mounts: [{ containerPath: '/data', hostPath: join(machine, 'shared'), propagation }],
      linux: { securityContext: { privileged: true } },
    });
  const makes = (name: string): string =>
    `mkdir /data/${name} && mount -t tmpfs ${name} /data/${name} && echo ${name} > /data/${name}/file`;
  const sees = async (id: string): Promise<string> =>
    (await fixture.exec(id, ['sh', '-c', 'cd /data; cat */file 2>/dev/null || true']))
      .trim()
      .split('\n')
      .join(' ');

  it('goes as far as the volume says, and nothing else reaches the machine', async () => {
    if (!isRoot) return;
    const both = await run('both', 'PROPAGATION_BIDIRECTIONAL', makes('of-both'));
    const one = await run('one', 'PROPAGATION_HOST_TO_CONTAINER', makes('of-one'));
    const none = await run('none', 'PROPAGATION_PRIVATE', makes('of-none'));
    await eventually(async () => {
      expect(await sees(none)).toContain('of-none');
      expect(await sees(one)).toContain('of-one');
      expect(await sees(both)).toContain('of-both');
    });
    mkdirSync(join(machine, 'shared', 'later'));
    mount('-t', 'tmpfs', 'later', join(machine, 'shared', 'later'));
    writeFileSync(join(machine, 'shared', 'later', 'file'), 'later\n');
    expect(await sees(both)).toBe('later of-both');
    expect(await sees(one)).toBe('later of-both of-one');
    expect(await sees(none)).toMatch(/^(of-both )?of-none$/);
    expect(mountsBelow(machine)).toEqual(['shared/later', 'shared/of-both']);
  }, 30_000);

  it('both ways is refused where the machine shares nothing', async () => {
    if (!isRoot) return;
    mount('--make-private', machine);
    await expect(run('both', 'PROPAGATION_BIDIRECTIONAL', 'true')).rejects.toThrow(
      `failed to generate container spec: path "${machine}/shared" is mounted on "${machine}" but it is not a shared mount`,
    );
    const one = await run('one', 'PROPAGATION_HOST_TO_CONTAINER', makes('of-one'));
    await eventually(async () => {
      expect(await sees(one)).toBe('of-one');
    });
  });
});
