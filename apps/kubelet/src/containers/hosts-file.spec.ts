import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { hostnameOf, hostsFile, nodeHostsFile, sandboxHostname } from './hosts-file.js';

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

describe('hostnames', () => {
  const LONG = 'a'.repeat(60);

  it.each([
    { name: "is the pod's name", spec: {}, short: 'web', sandbox: 'web' },
    { name: 'or what the pod says', spec: { hostname: 'h' }, short: 'h', sandbox: 'h' },
    {
      name: 'is short with a subdomain',
      spec: { subdomain: 'sub' },
      short: 'web',
      sandbox: 'web',
    },
    {
      name: 'is whole for the kernel when the pod wants that',
      spec: { subdomain: 'sub', setHostnameAsFQDN: true },
      short: 'web',
      sandbox: 'web.sub.default.svc.cluster.local',
    },
    {
      name: 'has no domain without a subdomain',
      spec: { setHostnameAsFQDN: true },
      short: 'web',
      sandbox: 'web',
    },
    {
      name: 'is overridden, whatever else is said',
      spec: { hostname: 'h', subdomain: 'sub', hostnameOverride: 'db.example.com' },
      short: 'db.example.com',
      sandbox: 'db.example.com',
    },
    {
      name: "is the node's in its network, for the runtime to know",
      spec: { hostNetwork: true, hostname: 'h' },
      short: 'h',
      sandbox: '',
    },
  ])('$name', ({ spec, short, sandbox }) => {
    expect(hostnameOf(pod(spec))).toBe(short);
    expect(sandboxHostname(pod(spec), 'cluster.local')).toBe(sandbox);
  });

  it('is refused when the whole name is longer than the kernel takes', () => {
    const given = pod({ hostname: LONG, subdomain: 'sub', setHostnameAsFQDN: true });
    const fqdn = `${LONG}.sub.default.svc.cluster.local`;
    expect(() => sandboxHostname(given, 'cluster.local')).toThrow(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (64 characters is the max, ${fqdn.length} characters requested)`,
    );
  });

  it('has no domain in /etc/hosts when it is overridden', () => {
    const given = pod({ subdomain: 'sub', hostnameOverride: 'db.example.com' });
    expect(hostsFile(given, ['10.0.0.1'], 'cluster.local')).toMatch(
      /\n10\.0\.0\.1\tdb\.example\.com\n$/,
    );
  });
});

describe('nodeHostsFile()', () => {
  const aliases = { hostAliases: [{ ip: '10.1.1.1', hostnames: ['a', 'b'] }] };

  it("is the machine's file with the pod's aliases", () => {
    const given = pod({ hostNetwork: true, ...aliases });
    expect(nodeHostsFile(given, ['10.0.0.1'], '127.0.0.1\tlocalhost\n').split('\n')).toEqual([
      '# Kubernetes-managed hosts file (host network).',
      '127.0.0.1\tlocalhost',
      '',
      '# Entries added by HostAliases.',
      '10.1.1.1\ta\tb',
      '',
    ]);
  });

  it("has the node's address for localhost when that is a loopback address", () => {
    const given = pod({ hostNetwork: true, nodeName: 'k8s-01' });
    expect(nodeHostsFile(given, ['127.5.0.1'], '127.0.0.1\tlocalhost\n').split('\n')).toEqual([
      '# Kubernetes-managed hosts file (host network).',
      '127.5.0.1\tlocalhost',
      '::1\tip6-localhost ip6-loopback',
      '127.5.0.1\tk8s-01',
      '',
    ]);
  });
});
