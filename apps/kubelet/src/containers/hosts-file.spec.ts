import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { hostsFile } from './hosts-file.js';

const pod = (spec: Partial<Pod['spec']> = {}): Pod => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { containers: [], ...spec },
});

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly ips: readonly string[];
  readonly want: readonly string[];
}

const MULTICAST = [
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];

describe('hostsFile()', () => {
  it.each<Case>([
    {
      name: "takes the pod's address for localhost when that is a loopback address",
      pod: pod(),
      ips: ['127.5.65.2'],
      want: [
        '127.5.65.2\tlocalhost',
        '::1\tip6-localhost ip6-loopback',
        ...MULTICAST,
        '127.5.65.2\tweb',
      ],
    },
    {
      name: 'leaves localhost alone elsewhere, and knows the subdomain and aliases',
      pod: pod({ subdomain: 'sub', hostAliases: [{ ip: '10.1.1.1', hostnames: ['a', 'b'] }] }),
      ips: ['10.0.0.1'],
      want: [
        '127.0.0.1\tlocalhost',
        '::1\tlocalhost ip6-localhost ip6-loopback',
        ...MULTICAST,
        '10.0.0.1\tweb.sub.default.svc.cluster.local\tweb',
        '',
        '# Entries added by HostAliases.',
        '10.1.1.1\ta\tb',
      ],
    },
  ])('$name', ({ pod: given, ips, want }) => {
    expect(hostsFile(given, ips, 'cluster.local').trimEnd().split('\n').slice(1)).toEqual(want);
  });
});
