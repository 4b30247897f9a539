import { describe, expect, it } from '@jest/globals';
import type { Endpoint, EndpointSlice, Pod, Service } from '@orrery/api';
import { DialGuard } from '@orrery/dataplane';
import { HostBackends } from './host-backends.js';
import { serviceRules } from './service-rules.js';

/** The ranges of a cluster as its dataplane is given them. */
const NETWORKS = [
  {
    network: 'loopback',
    pods: ['127.9.64.0/18'],
    nodes: ['127.9.0.0/24'],
    node: '127.9.0.2',
    master: '127.9.0.1',
    etcd: '127.9.0.201',
    pod: '127.9.65.2',
  },
  {
    network: 'routed',
    pods: ['10.244.0.0/16', 'fd00:10:244::/56'],
    nodes: ['10.9.0.0/24', 'fd00:9::/64'],
    node: '10.9.0.2',
    master: '10.9.0.1',
    etcd: '10.9.0.201',
    pod: '10.244.1.2',
  },
  {
    network: 'netns, IPv6',
    pods: ['fd00:10:244::/56'],
    nodes: ['fd00:9::/64'],
    node: 'fd00:9::2',
    master: 'fd00:9::1',
    etcd: 'fd00:9::c9',
    pod: 'fd00:10:244:1::2',
  },
] as const;

const CONTROL_PORTS = [2379, 2380, 6443, 10_248, 10_249, 10_250, 10_255, 10_256, 10_257, 10_259];

const hostPod = (address: string, change: Partial<Pod['spec']> = {}): Pod => ({
  metadata: { namespace: 'shop', name: 'host', uid: 'u1' },
  spec: {
    hostNetwork: true,
    nodeName: 'k8s-02',
    containers: [
      {
        name: 'a',
        ports: [8080, ...CONTROL_PORTS].map((containerPort) => ({ containerPort })),
      },
    ],
    initContainers: [
      { name: 'sidecar', restartPolicy: 'Always', ports: [{ containerPort: 9090 }] },
      { name: 'init', ports: [{ containerPort: 9091 }] },
    ],
    ...change,
  },
  status: { podIPs: [{ ip: address }] },
});

const BARE = { containers: [{ name: 'a' }], initContainers: [] };

interface Written {
  readonly address: string;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
  readonly named?: Partial<Endpoint>;
  readonly service?: string;
  readonly slice?: string;
}

/** Whether the dataplane of this network would dial the endpoint that somebody has written, and what its owner is told. */
function lookAt(
  { pods, nodes }: { pods: readonly string[]; nodes: readonly string[] },
  pod: Pod,
  { address, port, protocol = 'TCP', named = {}, service = 'shop/web', slice = 'mine' }: Written,
): { isDialled: boolean; refused: readonly string[] } {
  const [namespace = '', name = ''] = service.split('/');
  const family = address.includes(':') ? 'IPv6' : 'IPv4';
  const clusterIP = family === 'IPv6' ? 'fd00:10:96::5' : '127.9.128.5';
  const one: Service = {
    metadata: { namespace, name },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [family],
      ports: [{ port: 80, protocol }],
    },
  };
  const written: EndpointSlice = {
    metadata: { namespace, name: slice },
    addressType: family,
    ports: [{ name: '', port, protocol }],
    endpoints: [{ addresses: [address], ...named }],
  };
  const informer = {
    lister: {
      get: (key: { namespace: string; name: string }) =>
        key.namespace === pod.metadata.namespace && key.name === pod.metadata.name
          ? pod
          : undefined,
    },
    addHandler: () => undefined,
  };
  const hosts = new HostBackends({
    informers: { informer: () => informer } as never,
    apiPort: 6443,
    changed: () => undefined,
  });
  hosts.setPodRanges(pods);
  const context = {
    nodeName: 'k8s-02',
    zone: '',
    nodePortAddresses: [],
    ownedAddresses: new Set<string>(),
    policy: 'random' as const,
    localSources: [],
    hostOf: hosts.of(service),
  };
  const guard = new DialGuard(pods, nodes);
  const backends = serviceRules(one, [written], context).flatMap((rule) => rule.backends);
  expect(backends).toHaveLength(1);
  return {
    isDialled: backends.some((backend) => guard.allows(backend)),
    refused: hosts.refusals(service),
  };
}

const names = (name: string, more: object = {}): Partial<Endpoint> => ({
  targetRef: { kind: 'Pod', namespace: 'shop', name, ...more },
});

describe.each(NETWORKS)('CVE-2021-25740: endpoints in $network', (at) => {
  const pod = hostPod(at.node);
  const reached = (written: Written, there = pod): boolean => lookAt(at, there, written).isDialled;

  it.each<{ name: string; written: Written; there?: Pod; want: boolean }>([
    { name: 'a pod', written: { address: at.pod, port: 80 }, want: true },
    {
      name: 'a pod of the host network at its own port',
      written: { address: at.node, port: 8080, named: names('host') },
      want: true,
    },
    {
      name: 'its sidecar',
      written: { address: at.node, port: 9090, named: names('host', { uid: 'u1' }) },
      want: true,
    },
    {
      name: 'an init container that has ended',
      written: { address: at.node, port: 9091, named: names('host') },
      want: false,
    },
    {
      name: 'another port of its node',
      written: { address: at.node, port: 22, named: names('host') },
      want: false,
    },
    {
      name: 'a port of a protocol of which it declares none',
      written: { address: at.node, port: 8080, protocol: 'UDP', named: names('host') },
      want: true,
    },
    {
      name: 'any port of a pod that declares none',
      written: { address: at.node, port: 8443, named: names('host') },
      there: hostPod(at.node, BARE),
      want: true,
    },
    {
      name: 'the kubelet, by a pod that declares no port',
      written: { address: at.node, port: 10_250, named: names('host') },
      there: hostPod(at.node, BARE),
      want: false,
    },
    {
      name: 'its port on another node',
      written: { address: at.master, port: 8080, named: names('host') },
      want: false,
    },
    {
      name: 'its port, said to be on another node',
      written: { address: at.node, port: 8080, named: { ...names('host'), nodeName: 'k8s-03' } },
      want: false,
    },
    {
      name: 'a pod that came after it',
      written: { address: at.node, port: 8080, named: names('host', { uid: 'u0' }) },
      want: false,
    },
    { name: 'nobody by name', written: { address: at.node, port: 8080 }, want: false },
    {
      name: 'a pod that is not there',
      written: { address: at.node, port: 8080, named: names('other') },
      want: false,
    },
    {
      name: 'a pod of another namespace',
      written: { address: at.node, port: 8080, named: names('host'), service: 'evil/web' },
      want: false,
    },
    {
      name: 'something that is no pod',
      written: {
        address: at.node,
        port: 8080,
        named: { targetRef: { kind: 'Node', name: 'host', namespace: 'shop' } },
      },
      want: false,
    },
    {
      name: 'a pod of its own network that says to have the address',
      written: { address: at.node, port: 8080, named: names('host') },
      there: hostPod(at.node, { hostNetwork: false }),
      want: false,
    },
    { name: 'etcd', written: { address: at.etcd, port: 2379, named: names('host') }, want: false },
    { name: 'an API server', written: { address: at.master, port: 6443 }, want: false },
  ])('$name: $want', ({ written, there, want }) => {
    expect(reached(written, there)).toBe(want);
  });

  it('no port of the control plane, even of a pod that says to have it', () => {
    const open = CONTROL_PORTS.filter((port) =>
      reached({ address: at.node, port, named: names('host') }),
    );
    expect(open).toEqual([]);
  });

  it.each([
    '0.0.0.0',
    '127.0.0.1',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    'fe80::1',
    'ff02::1',
    '2001:db8::1',
  ])('never %s', (address) => {
    const there = hostPod(address);
    for (const port of [80, 8080, 6443]) {
      expect(reached({ address, port, named: names('host') }, there)).toBe(false);
      const own = { service: 'default/kubernetes', slice: 'kubernetes' };
      expect(reached({ address, port, ...own }, there)).toBe(false);
    }
  });

  it.each<{ name: string; port: number; slice?: string; service?: string; want: boolean }>([
    { name: 'the API server', port: 6443, want: true },
    { name: 'the kubelet', port: 10_250, want: false },
    { name: 'etcd', port: 2379, want: false },
    { name: 'another program', port: 22, want: false },
    { name: 'a slice of somebody else', port: 6443, slice: 'mine', want: false },
    { name: 'another Service of that name', port: 6443, service: 'shop/kubernetes', want: false },
  ])(
    'default/kubernetes, $name: $want',
    ({ port, slice = 'kubernetes', service = 'default/kubernetes', want }) => {
      expect(reached({ address: at.master, port, slice, service })).toBe(want);
    },
  );

  it.each<{ name: string; written: Written; there?: Pod; isTold: boolean }>([
    { name: 'nobody by name', written: { address: at.node, port: 22 }, isTold: true },
    {
      name: 'a port that the pod does not have',
      written: { address: at.node, port: 22, named: names('host') },
      isTold: true,
    },
    {
      name: 'a port of the control plane',
      written: { address: at.node, port: 10_250, named: names('host') },
      isTold: true,
    },
    {
      name: 'the port of a pod',
      written: { address: at.node, port: 8080, named: names('host') },
      isTold: false,
    },
    {
      name: 'a pod that may be seen later',
      written: { address: at.node, port: 8080, named: names('other') },
      isTold: false,
    },
    { name: 'an address of the pod range', written: { address: at.pod, port: 22 }, isTold: false },
  ])('tells the owner of $name: $isTold', ({ written, there = pod, isTold }) => {
    expect(lookAt(at, there, written).refused).toHaveLength(isTold ? 1 : 0);
  });
});

describe(HostBackends.name, () => {
  it('watches pods from the first endpoint that names one outside of the pod range on', () => {
    const asked: unknown[] = [];
    const changed: string[] = [];
    const handlers: { onAdd: (pod: Pod) => void }[] = [];
    const informer = {
      lister: { get: () => undefined },
      addHandler: (handler: (typeof handlers)[0]) => handlers.push(handler),
      waitForSync: () => Promise.resolve(),
    };
    const hosts = new HostBackends({
      informers: { informer: (...what: unknown[]) => (asked.push(what), informer) } as never,
      apiPort: 6443,
      changed: (service) => changed.push(service),
    });
    hosts.setPodRanges(['127.9.64.0/18']);
    const look = (service: string, address: string): void => {
      const endpoint = { addresses: [address], ...names('host') };
      const slice: EndpointSlice = {
        metadata: { namespace: 'shop', name: 'x' },
        addressType: 'IPv4',
        endpoints: [endpoint],
      };
      hosts.of(service)({ slice, endpoint, address, port: 8080, protocol: 'TCP' });
    };
    look('shop/plain', '127.9.65.2');
    expect(asked).toEqual([]);
    let isKnown = false;
    hosts.whenKnown(() => (isKnown = true));
    expect(isKnown).toBe(true);
    look('shop/web', '127.9.0.2');
    expect(asked).not.toEqual([]);
    expect(handlers).toHaveLength(1);
    handlers[0]?.onAdd(hostPod('127.9.0.2'));
    expect(changed).toEqual(['shop/web']);
    hosts.of('shop/web');
    handlers[0]?.onAdd(hostPod('127.9.0.2'));
    expect(changed).toEqual(['shop/web']);
  });
});
