import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { podOf } from '../../test/builders.js';
import { forbiddenSysctl, parseSysctls } from './sysctls.js';

const setting = (name: string, spec: Partial<Pod['spec']> = {}): Pod =>
  podOf('p', { ...spec, securityContext: { sysctls: [{ name, value: '1' }] } });

describe(forbiddenSysctl.name, () => {
  it.each<[string, Pod, string[], string | undefined]>([
    ['nothing is set', podOf('p'), [], undefined],
    ['it is safe', setting('kernel.shm_rmid_forced'), [], undefined],
    ['it is safe, with slashes', setting('net/ipv4/tcp_syncookies'), [], undefined],
    [
      'it is not',
      setting('kernel.msgmax'),
      [],
      'forbidden sysctl: "kernel.msgmax" not allowlisted',
    ],
    ['it is let by name', setting('kernel.msgmax'), ['kernel.msgmax'], undefined],
    ['it is let by prefix', setting('net.core.somaxconn'), ['net.core.*'], undefined],
    [
      'another prefix is let',
      setting('kernel.shmmax'),
      ['kernel.msg*'],
      'forbidden sysctl: "kernel.shmmax" not allowlisted',
    ],
    [
      "it is the machine's, with host network",
      setting('net.ipv4.tcp_syncookies', { hostNetwork: true }),
      [],
      'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host Net enabled',
    ],
    [
      "it is the machine's, with host IPC",
      setting('kernel.msgmax', { hostIPC: true }),
      ['kernel.msg*'],
      'forbidden sysctl: "kernel.msgmax" not allowed with host IPC enabled',
    ],
  ])('when %s', (_name, pod, unsafe, want) => {
    expect(forbiddenSysctl(pod, unsafe)).toBe(want);
  });
});

describe(parseSysctls.name, () => {
  it('takes names and prefixes of namespaces', () => {
    const patterns = ['kernel.msg*', 'net.core.somaxconn', 'net/ipv4/*', 'fs.mqueue.*'];
    expect(parseSysctls(patterns)).toEqual([
      'kernel.msg*',
      'net.core.somaxconn',
      'net.ipv4.*',
      'fs.mqueue.*',
    ]);
  });

  it.each([
    ['vm.swappiness', 'not known to be namespaced'],
    ['kernel.*', 'not known to be namespaced'],
    ['net.*.x', 'is not a name or a prefix'],
    ['', 'is not a name or a prefix'],
  ])('refuses "%s"', (pattern, why) => {
    expect(() => parseSysctls([pattern])).toThrow(why);
  });
});
