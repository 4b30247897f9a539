import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ContainerConfig, Init } from '@orrery/cri';
import { RuntimeFixture, eventually } from '../test/runtime-fixture.js';
import { UNSHARE_FLAGS, isolationOfMachine, probeIsolation } from './process/isolation.js';
import type { Isolation } from './process/isolation.js';

type Security = NonNullable<NonNullable<Init<ContainerConfig>['linux']>['securityContext']>;

/** All that a process could have here. */
function capabilitiesHere(kind: 'root' | 'user'): bigint {
  const args = [...UNSHARE_FLAGS[kind], 'grep', 'CapBnd', '/proc/self/status'];
  const text = execFileSync('unshare', args, { encoding: 'utf8' });
  return BigInt(`0x${text.split('\t')[1]?.trim()}`);
}

/** What a command of a container said on its standard output. */
const said = (log: string): string[] =>
  log.split('\n').flatMap((line) => /^stdout F (.*)$/.exec(line)?.[1] ?? []);

describe('a volume of an image', () => {
  let fixture: RuntimeFixture;

  afterEach(() => fixture.stop());

  it.each([...new Set([probeIsolation(), 'none' as const])])(
    'is read-only (isolation %s)',
    async (kind) => {
      fixture = await RuntimeFixture.start(78, kind);
      const { client } = fixture;
      const image = { image: 'registry.k8s.io/e2e-test-images/kitten:1.7' };
      await client.images.pullImage({ image });
      const pod = await fixture.runPod('volume');
      const run = (name: string, imageSubPath: string) =>
        fixture.run(pod.id, 'busybox', {
          metadata: { name },
          command: ['cat', '/volume/data.json', '/volume/etc/os-release'],
          mounts: [{ containerPath: '/volume', image, imageSubPath, readonly: true }],
        });
      expect(await fixture.exited(await run('main', ''))).toMatchObject({ exitCode: 0 });
      const lines = said(await fixture.log());
      expect(lines).toEqual(expect.arrayContaining(['"image":"kitten.jpg"', 'ID=alpine']));
      await expect(run('other', 'absent')).rejects.toThrow('sub path "absent"');
      await expect(
        fixture.create(pod.id, 'busybox', {
          metadata: { name: 'third' },
          mounts: [{ containerPath: '/volume', image: { image: 'nowhere:1' } }],
        }),
      ).rejects.toThrow('failed to resolve image "nowhere:1"');
    },
  );
});

describe('a host command', () => {
  let fixture: RuntimeFixture;

  afterEach(() => fixture.stop());

  it('finds its volumes without any privilege, by rewritten arguments', async () => {
    fixture = await RuntimeFixture.start(73, 'none');
    const config = join(fixture.folder, 'config');
    await mkdir(config);
    await writeFile(join(config, 'key'), 'value\n');
    const pod = await fixture.runPod('plain');
    const id = await fixture.run(pod.id, 'busybox', {
      command: ['cat', '/etc/config/key'],
      mounts: [{ containerPath: '/etc/config', hostPath: config }],
    });
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 0 });
    expect(await fixture.log()).toBe('stdout F value\n');
  });

  it('gets a folder of the host that is not there, but none below what is no folder', async () => {
    fixture = await RuntimeFixture.start(72, 'none');
    const pod = await fixture.runPod('made');
    const hostPath = join(fixture.folder, 'not', 'there');
    const runs = (name: string, path: string) =>
      fixture.run(pod.id, 'busybox', {
        metadata: { name },
        command: ['ls', '/data'],
        mounts: [{ containerPath: '/data', hostPath: path }],
      });
    expect(await fixture.exited(await runs('made', hostPath))).toMatchObject({ exitCode: 0 });
    await expect(runs('refused', '/dev/null/x')).rejects.toThrow('failed to mkdir "/dev/null/x"');
  });

  const strongest = probeIsolation();
  const kinds = strongest === 'none' ? [] : strongest === 'user' ? ['user'] : ['root', 'user'];

  it.each(kinds.map((kind) => ({ kind: kind as 'root' | 'user' })))(
    'has a root of its own and cannot write to the host (isolation $kind)',
    async ({ kind }) => {
      fixture = await RuntimeFixture.start(kind === 'root' ? 74 : 75, kind);
      const termination = join(fixture.folder, 'termination');
      const hosts = join(fixture.folder, 'hosts');
      await writeFile(termination, '');
      await writeFile(hosts, '127.0.0.9 special\n');
      const pod = await fixture.runPod('own', { dnsConfig: { servers: ['127.0.0.10'] } });
      const script = [
        'cat /etc/resolv.conf',
        'cat /etc/hosts',
        'grep -c ^root: /etc/passwd',
        'echo bye > /dev/termination-log',
        'echo x > /tmp/x && cat /tmp/x',
        'touch /usr/orrery-was-here 2>/dev/null || echo denied',
        'echo device > /dev/null && pwd',
        'uname -n',
      ].join(';');
      const id = await fixture.run(pod.id, 'debian:13', {
        command: ['/bin/sh', '-c', script],
        workingDir: '/var/tmp',
        mounts: [
          { containerPath: '/dev/termination-log', hostPath: termination },
          { containerPath: '/etc/hosts', hostPath: hosts, readonly: true },
        ],
      });
      expect(await fixture.exited(id)).toMatchObject({ exitCode: 0 });
      expect((await fixture.log()).replaceAll('stdout F ', '').trim().split('\n')).toEqual([
        'nameserver 127.0.0.10',
        '127.0.0.9 special',
        '1',
        'x',
        'denied',
        '/var/tmp',
        'own',
      ]);
      expect(await readFile(termination, 'utf8')).toBe('bye\n');
      await fixture.client.runtime.removeContainer({ containerId: id });
      expect(await readFile(hosts, 'utf8')).toBe('127.0.0.9 special\n');
    },
  );

  it.each(['none', ...kinds].map((kind) => ({ kind: kind as Isolation })))(
    'begins before it is stopped, and answers as it would (isolation $kind)',
    async ({ kind }) => {
      fixture = await RuntimeFixture.start(80, kind);
      const pod = await fixture.runPod('early');
      const stopped = async (name: string, ...command: string[]) => {
        const containerId = await fixture.run(pod.id, 'busybox', { metadata: { name }, command });
        await fixture.client.runtime.stopContainer({ containerId, timeout: 30 });
        return (await fixture.status(containerId)).exitCode;
      };
      expect(await stopped('false', 'false')).toBe(1);
      const trap = 'trap "exit 7" TERM; while :; do sleep 0.05; done';
      expect(await stopped('trap', 'sh', '-c', trap)).toBe(7);
      expect(await stopped('sleep', 'sleep', '600')).toBe(143);
      expect(await stopped('busy', 'sh', '-c', 'while :; do :; done')).toBe(143);
    },
  );

  it.each(kinds.map((kind) => ({ kind: kind as 'root' | 'user' })))(
    'is entered by commands beside it, which see what it sees (isolation $kind)',
    async ({ kind }) => {
      fixture = await RuntimeFixture.start(kind === 'root' ? 70 : 71, kind);
      const pod = await fixture.runPod('entered');
      const seen =
        'readlink /proc/self/ns/mnt /proc/self/ns/uts; uname -n; pwd; id -u; ls -A /data';
      const id = await fixture.run(pod.id, 'busybox', {
        command: ['/bin/sh', '-c', `{ ${seen}; } > /tmp/seen; mv /tmp/seen /tmp/all; sleep 600`],
        workingDir: '/var/tmp',
        mounts: [{ containerPath: '/data', hostPath: join(fixture.folder, 'data') }],
        linux: { securityContext: { readonlyRootfs: false } },
      });
      const own = await eventually(() => fixture.exec(id, ['cat', '/tmp/all']));
      expect(await fixture.exec(id, ['/bin/sh', '-c', seen])).toBe(own);
    },
  );

  it.each(kinds.map((kind) => ({ kind: kind as 'root' | 'user' })))(
    'has the capabilities that its security context leaves it (isolation $kind)',
    async ({ kind }) => {
      fixture = await RuntimeFixture.start(kind === 'root' ? 76 : 77, kind);
      const pod = await fixture.runPod('confined');
      const see = async (name: string, securityContext: Security): Promise<string> => {
        const id = await fixture.run(pod.id, 'busybox', {
          metadata: { name },
          command: ['grep', '-E', '^(CapBnd|CapEff|CapInh|NoNewPrivs):', '/proc/self/status'],
          linux: { securityContext },
        });
        expect(await fixture.exited(id)).toMatchObject({ exitCode: 0 });
        return (await fixture.log(name)).replace(/^stdout F \w+:\s*0*(?=\w)/gm, '').trim();
      };
      const host = capabilitiesHere(kind);
      const seen = (mask: bigint, noNewPrivileges = 0): string => {
        const held = (mask & host).toString(16);
        return ['0', held, held, noNewPrivileges].join('\n');
      };
      expect(await see('plain', {})).toBe(seen(0xa80425fbn));
      expect(await see('privileged', { privileged: true })).toBe(seen(host));
      expect(await see('escalation', { noNewPrivs: true })).toBe(seen(0xa80425fbn, 1));
      const capabilities = { addCapabilities: ['KILL', 'SYS_TIME'], dropCapabilities: ['ALL'] };
      expect(await see('changed', { capabilities })).toBe(seen(0x2000020n));
    },
  );

  it.each(kinds.filter((kind) => kind === 'root').map((kind) => ({ kind: kind as 'root' })))(
    'has no capabilities as another user (isolation $kind)',
    async ({ kind }) => {
      fixture = await RuntimeFixture.start(78, kind);
      const pod = await fixture.runPod('other');
      const id = await fixture.run(pod.id, 'busybox', {
        command: ['sh', '-c', 'grep CapEff /proc/self/status; id -u; id -g; id -G'],
        linux: {
          securityContext: {
            runAsUser: { value: 1234 },
            runAsGroup: { value: 99 },
            supplementalGroups: [77],
          },
        },
      });
      expect(await fixture.exited(id)).toMatchObject({ exitCode: 0 });
      const lines = (await fixture.log()).replaceAll('stdout F ', '').trim().split('\n');
      expect(lines).toEqual(['CapEff:\t0000000000000000', '1234', '99', '99 77']);
    },
  );

  const inShell = ['root', 'none'].map((kind) => ({ kind, command: ['sh', '-c', 'env'] }));
  const alone = [...kinds, 'none'].map((kind) => ({ kind, command: ['env'] }));

  it.each(
    [...alone, ...inShell].filter(
      ({ kind }) => kind === 'none' || kinds.includes(kind as Isolation),
    ),
  )('has variables of any name (isolation $kind, $command)', async ({ kind, command }) => {
    fixture = await RuntimeFixture.start(78, kind as Isolation);
    const pod = await fixture.runPod('variables');
    const names = ['1-a', '-b', 'c d~', 'PLAIN'];
    const id = await fixture.run(pod.id, 'busybox', {
      command,
      envs: names.map((key) => ({ key, value: 'x=y' })),
    });
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 0 });
    const lines = said(await fixture.log());
    expect(lines).toEqual(expect.arrayContaining(names.map((name) => `${name}=x=y`)));
  });

  const roots = kinds.filter((kind) => kind === 'root').map((kind) => ({ kind: kind as 'root' }));

  it.each(roots)("has its pod's settings of the kernel (isolation $kind)", async ({ kind }) => {
    fixture = await RuntimeFixture.start(78, kind);
    const here = await readFile('/proc/sys/kernel/shm_rmid_forced', 'utf8');
    const pod = await fixture.runPod('settings', {
      linux: { sysctls: { 'kernel.shm_rmid_forced': '1' } },
    });
    const id = await fixture.run(pod.id, 'busybox', {
      command: ['/bin/sysctl', 'kernel.shm_rmid_forced'],
    });
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 0 });
    expect(said(await fixture.log())).toEqual(['kernel.shm_rmid_forced = 1']);
    expect(await readFile('/proc/sys/kernel/shm_rmid_forced', 'utf8')).toBe(here);
  });

  it.each(
    roots.flatMap(({ kind }) => [
      { kind, policy: 'Merge' as const, want: '1000 77 50000' },
      { kind, policy: 'Strict' as const, want: '1000 77' },
    ]),
  )('has the groups of its image by the policy $policy', async ({ kind, policy, want }) => {
    fixture = await RuntimeFixture.start(78, kind);
    const pod = await fixture.runPod('groups');
    const id = await fixture.run(pod.id, 'registry.k8s.io/e2e-test-images/agnhost:2.53', {
      command: ['id', '-G'],
      linux: {
        securityContext: {
          runAsUser: { value: 1000 },
          runAsGroup: { value: 1000 },
          supplementalGroups: [77],
          supplementalGroupsPolicy: policy,
        },
      },
    });
    expect(await fixture.exited(id)).toMatchObject({
      exitCode: 0,
      user: { linux: { uid: 1000, gid: 1000, supplementalGroups: want.split(' ').map(Number) } },
    });
    expect(said(await fixture.log())).toEqual([want]);
  });

  it.each(
    roots.flatMap(({ kind }) => [
      { kind, recursiveReadOnly: true, want: ['denied', 'denied below'] },
      { kind, recursiveReadOnly: false, want: ['denied'] },
    ]),
  )(
    'writes below a read-only volume unless that is recursive ($recursiveReadOnly)',
    async ({ kind, recursiveReadOnly, want }) => {
      fixture = await RuntimeFixture.start(78, kind);
      const hostPath = join(fixture.folder, 'volume');
      const below = join(hostPath, 'below');
      await mkdir(below, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', 'below', below]);
      try {
        const pod = await fixture.runPod('recursive');
        const script = 'touch /volume/x || echo denied; touch /volume/below/x || echo denied below';
        const id = await fixture.run(pod.id, 'busybox', {
          command: ['sh', '-c', script],
          mounts: [{ containerPath: '/volume', hostPath, readonly: true, recursiveReadOnly }],
        });
        await fixture.exited(id);
        expect(said(await fixture.log())).toEqual(want);
      } finally {
        execFileSync('umount', [below]);
      }
    },
  );
});

describe('what this machine allows', () => {
  it('is found without being waited for, too', async () => {
    expect(await isolationOfMachine()).toBe(probeIsolation());
  });
});
