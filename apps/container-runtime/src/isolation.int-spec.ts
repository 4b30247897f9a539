import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { RuntimeFixture } from '../test/runtime-fixture.js';
import { probeIsolation } from './process/isolation.js';

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
});
