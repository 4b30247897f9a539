import { describe, expect, it } from '@jest/globals';
import type { EndpointSlice, Service } from '@orrery/api';
import { endpointChain, serviceChain } from './chain-names.js';
import { currentIptables } from './iptables-current.js';
import type { PrintOptions } from './iptables-text.js';
import { iptables120 } from './iptables-v1-20.js';
import { ipvsadm } from './ipvsadm-text.js';
import { printedPorts } from './service-ports.js';

const OPTIONS: PrintOptions = {
  clusterCidr: '10.0.0.0/8',
  masqueradeAll: false,
  masqueradeBit: 14,
  nodeIp: '192.168.0.2',
  nodePortAddresses: [],
};

interface Case {
  readonly name: string;
  readonly spec?: Partial<Service['spec']>;
  readonly ingress?: string;
  /** Last byte of each endpoint; those above 100 are on this node. */
  readonly endpoints?: readonly number[];
  /** Lines of the current proxier that mention the service; chains are shortened. */
  readonly want: readonly string[];
}

const PORT = { name: 'p80', port: 80, protocol: 'TCP' } as const;

function portsOf({ spec, ingress, endpoints = [1, 101] }: Omit<Case, 'want'>) {
  const service: Service = {
    metadata: { namespace: 'ns4', name: 'svc4' },
    spec: { clusterIP: '172.30.0.44', clusterIPs: ['172.30.0.44'], ports: [PORT], ...spec },
    ...(ingress ? { status: { loadBalancer: { ingress: [{ ip: ingress }] } } } : {}),
  };
  const slice: EndpointSlice = {
    metadata: { name: 'svc4-1', namespace: 'ns4' },
    addressType: 'IPv4',
    ports: [{ name: 'p80', port: 80, protocol: 'TCP' }],
    endpoints: endpoints.map((last) => ({
      addresses: [`10.180.0.${last}`],
      nodeName: last > 100 ? 'here' : 'there',
    })),
  };
  return printedPorts([service], () => [slice], { nodeName: 'here', zone: '' });
}

/** The lines about the service, without the noise of `-A` and of the hashes. */
const about = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('-A') && line.includes('ns4/svc4'))
    .concat(text.split('\n').filter((line) => /^-A KUBE-EXT-\w+ -j KUBE-SV/.test(line)))
    .map((line) =>
      line
        .slice(3)
        .replaceAll(/KUBE-(SVC|SVL|EXT|FW|XLB)-\w{16}/g, '$1')
        .replaceAll(/KUBE-SEP-(\w{4})\w{12}/g, 'SEP-$1'),
    );

const SEP = (last: number): string =>
  `SEP-${endpointChain({ name: 'ns4/svc4:p80', protocol: 'tcp' }, `10.180.0.${last}:80`).slice(9, 13)}`;
const CLUSTER_IP =
  '-d 172.30.0.44/32 -p tcp -m comment --comment "ns4/svc4:p80 cluster IP" -m tcp --dport 80';
const endpointRules = (last: number, affinity = ''): string[] => [
  `${SEP(last)} -s 10.180.0.${last}/32 -m comment --comment "ns4/svc4:p80" -j KUBE-MARK-MASQ`,
  `${SEP(last)} -p tcp -m comment --comment "ns4/svc4:p80" ${affinity}-m tcp -j DNAT --to-destination 10.180.0.${last}:80`,
];
const choice = (chain: string, last: number, chance = ''): string =>
  `${chain} -m comment --comment "ns4/svc4:p80 -> 10.180.0.${last}:80" ${chance}-j ${SEP(last)}`;
const HALF = '-m statistic --mode random --probability 0.50000000000 ';

describe('chain names', () => {
  it('are those of upstream', () => {
    // k8s pkg/proxy/iptables/proxier_test.go
    expect(serviceChain('SVC', { name: 'ns1/svc1:p80', protocol: 'tcp' })).toBe(
      'KUBE-SVC-XPGD46QRK7WJZT7O',
    );
    expect(serviceChain('EXT', { name: 'ns4/svc4:p80', protocol: 'tcp' })).toBe(
      'KUBE-EXT-4SW47YFZTEDKD3PK',
    );
    expect(endpointChain({ name: 'ns4/svc4:p80', protocol: 'tcp' }, '10.180.0.5:80')).toBe(
      'KUBE-SEP-C6EBXVWJJZMIWKLZ',
    );
  });
});

describe('currentIptables()', () => {
  it.each<Case>([
    {
      name: 'a cluster address with two endpoints',
      want: [
        `KUBE-SERVICES ${CLUSTER_IP} -j SVC`,
        ...endpointRules(1),
        ...endpointRules(101),
        `SVC ! -s 10.0.0.0/8 ${CLUSTER_IP} -j KUBE-MARK-MASQ`,
        choice('SVC', 101, HALF),
        choice('SVC', 1),
      ],
    },
    {
      name: 'no endpoints',
      endpoints: [],
      want: [
        'KUBE-SERVICES -d 172.30.0.44/32 -p tcp -m comment --comment "ns4/svc4:p80 has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
      ],
    },
    {
      name: 'internalTrafficPolicy Local without an endpoint here',
      spec: { internalTrafficPolicy: 'Local' },
      endpoints: [1],
      want: [
        'KUBE-SERVICES -d 172.30.0.44/32 -p tcp -m comment --comment "ns4/svc4:p80 has no local endpoints" -m tcp --dport 80 -j DROP',
      ],
    },
    {
      name: 'session affinity',
      spec: {
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
      },
      endpoints: [1],
      want: [
        `KUBE-SERVICES ${CLUSTER_IP} -j SVC`,
        ...endpointRules(
          1,
          '-m recent --set --name KUBE_SEP --mask 255.255.255.255 --rsource '.replace(
            'KUBE_SEP',
            SEP(1),
          ),
        ),
        `SVC ! -s 10.0.0.0/8 ${CLUSTER_IP} -j KUBE-MARK-MASQ`,
        choice(
          'SVC',
          1,
          `-m recent --rcheck --seconds 60 --reap --name ${SEP(1)} --mask 255.255.255.255 --rsource `,
        ),
        choice('SVC', 1),
      ],
    },
    {
      name: 'a node port',
      spec: { type: 'NodePort', ports: [{ ...PORT, nodePort: 3001 }] },
      endpoints: [1],
      want: [
        'KUBE-NODEPORTS -p tcp -m comment --comment "ns4/svc4:p80" -m tcp --dport 3001 -j EXT',
        `KUBE-SERVICES ${CLUSTER_IP} -j SVC`,
        'EXT -m comment --comment "masquerade traffic for ns4/svc4:p80 external destinations" -j KUBE-MARK-MASQ',
        ...endpointRules(1),
        `SVC ! -s 10.0.0.0/8 ${CLUSTER_IP} -j KUBE-MARK-MASQ`,
        choice('SVC', 1),
        'EXT -j SVC',
      ],
    },
    {
      name: 'a load balancer with source ranges and a local policy',
      spec: {
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 30_000,
        loadBalancerSourceRanges: ['203.0.113.0/25'],
      },
      ingress: '5.6.7.8',
      endpoints: [101],
      want: [
        'KUBE-NODEPORTS -p tcp -m comment --comment "ns4/svc4:p80 health check node port" -m tcp --dport 30000 -j ACCEPT',
        'KUBE-PROXY-FIREWALL -d 5.6.7.8/32 -p tcp -m comment --comment "ns4/svc4:p80 traffic not accepted by FW" -m tcp --dport 80 -j DROP',
        `KUBE-SERVICES ${CLUSTER_IP} -j SVC`,
        'KUBE-SERVICES -d 5.6.7.8/32 -p tcp -m comment --comment "ns4/svc4:p80 loadbalancer IP" -m tcp --dport 80 -j FW',
        'EXT -s 10.0.0.0/8 -m comment --comment "pod traffic for ns4/svc4:p80 external destinations" -j SVC',
        'EXT -m comment --comment "masquerade LOCAL traffic for ns4/svc4:p80 external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ',
        'EXT -m comment --comment "route LOCAL traffic for ns4/svc4:p80 external destinations" -m addrtype --src-type LOCAL -j SVC',
        'FW -s 203.0.113.0/25 -m comment --comment "ns4/svc4:p80 loadbalancer IP" -j EXT',
        'FW -m comment --comment "other traffic to ns4/svc4:p80 will be dropped by KUBE-PROXY-FIREWALL"',
        ...endpointRules(101),
        `SVC ! -s 10.0.0.0/8 ${CLUSTER_IP} -j KUBE-MARK-MASQ`,
        choice('SVC', 101),
        choice('SVL', 101),
        'EXT -j SVL',
      ],
    },
    {
      name: 'an external address without an endpoint here',
      spec: { type: 'NodePort', externalTrafficPolicy: 'Local', externalIPs: ['192.168.99.22'] },
      endpoints: [],
      want: [
        'KUBE-EXTERNAL-SERVICES -d 192.168.99.22/32 -p tcp -m comment --comment "ns4/svc4:p80 has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
        'KUBE-SERVICES -d 172.30.0.44/32 -p tcp -m comment --comment "ns4/svc4:p80 has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
      ],
    },
  ])('$name', ({ want, ...scene }) => {
    expect(about(currentIptables(portsOf(scene), OPTIONS)).sort()).toEqual([...want].sort());
  });

  it('drops what has endpoints elsewhere alone, and says so', () => {
    const spec = {
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      ports: [{ ...PORT, nodePort: 3001 }],
    } as const;
    expect(
      currentIptables(
        portsOf({ name: '', spec: { ...spec, ports: [...spec.ports] }, endpoints: [1] }),
        OPTIONS,
      ),
    ).toContain(
      '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "ns4/svc4:p80 has no local endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 3001 -j DROP\n',
    );
  });

  it('a cluster without services', () => {
    expect(currentIptables([], OPTIONS)).toBe(`*filter
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FIREWALL - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-SERVICES - [0:0]
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SERVICES - [0:0]
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
COMMIT
`);
  });
});

describe('iptables120()', () => {
  it('sends local external traffic through KUBE-XLB', () => {
    const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' } as const;
    const lines = about(iptables120(portsOf({ name: '', spec, ingress: '5.6.7.8' }), OPTIONS));
    expect(lines).toContain(
      `XLB -m comment --comment "Balancing rule 0 for ns4/svc4:p80" -j ${SEP(101)}`,
    );
    expect(lines).toContain(
      'FW -m comment --comment "ns4/svc4:p80 loadbalancer IP" -j KUBE-MARK-DROP',
    );
  });
});

describe('ipvsadm()', () => {
  it('prints virtual servers as ipvsadm -Ln', () => {
    const ports = portsOf({
      name: '',
      spec: { type: 'NodePort', sessionAffinity: 'ClientIP', ports: [{ ...PORT, nodePort: 3001 }] },
    });
    const text = ipvsadm(ports, {
      scheduler: 'rr',
      nodeAddresses: ['192.168.0.2'],
      active: (server, endpoint) =>
        server === '172.30.0.44:80' && endpoint === '10.180.0.1:80' ? 3 : 0,
    });
    expect(text).toBe(
      [
        'IP Virtual Server version 1.2.1 (size=4096)',
        'Prot LocalAddress:Port Scheduler Flags',
        '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
        'TCP  172.30.0.44:80 rr persistent 10800',
        '  -> 10.180.0.101:80              Masq    1      0          0         ',
        '  -> 10.180.0.1:80                Masq    1      3          0         ',
        'TCP  192.168.0.2:3001 rr persistent 10800',
        '  -> 10.180.0.101:80              Masq    1      0          0         ',
        '  -> 10.180.0.1:80                Masq    1      0          0         ',
        '',
      ].join('\n'),
    );
  });
});

describe('the order and the flags of ipvsadm', () => {
  it('sorts by the numbers of the protocols and names the flag of mh', () => {
    const ports = portsOf({
      name: '',
      endpoints: [],
      spec: {
        sessionAffinity: 'ClientIP',
        ports: (['SCTP', 'UDP', 'TCP'] as const).map((protocol) => ({ ...PORT, protocol })),
      },
    });
    const text = ipvsadm(ports, { scheduler: 'mh', nodeAddresses: [] });
    expect(text.split('\n').slice(3)).toEqual([
      'TCP  172.30.0.44:80 mh (mh-port) persistent 10800',
      'UDP  172.30.0.44:80 mh (mh-port) persistent 10800',
      'SCTP 172.30.0.44:80 mh (mh-port) persistent 10800',
      '',
    ]);
  });
});

describe('the text of IPv6', () => {
  const both: Service = {
    metadata: { namespace: 'ns4', name: 'svc4' },
    spec: {
      clusterIP: '172.30.0.44',
      clusterIPs: ['172.30.0.44', 'fd00:30::44'],
      type: 'NodePort',
      sessionAffinity: 'ClientIP',
      ports: [{ ...PORT, nodePort: 30080 }],
    },
  };
  const slice = (addressType: 'IPv4' | 'IPv6', address: string): EndpointSlice => ({
    metadata: { name: `svc4-${addressType}`, namespace: 'ns4' },
    addressType,
    ports: [{ name: 'p80', port: 80, protocol: 'TCP' }],
    endpoints: [{ addresses: [address], nodeName: 'here' }],
  });
  const slices = [slice('IPv4', '10.180.0.1'), slice('IPv6', 'fd00:180::1')];
  const ports = printedPorts([both], () => slices, { nodeName: 'here', zone: '' }, 'IPv6');
  const options: PrintOptions = {
    ...OPTIONS,
    family: 'IPv6',
    clusterCidr: 'fd00:180::/56',
    nodeIp: 'fd00:2::2',
  };

  it('is what ip6tables-save would show', () => {
    const mask = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
    const chain = endpointChain({ name: 'ns4/svc4:p80', protocol: 'tcp' }, '[fd00:180::1]:80');
    const text = currentIptables(ports, options);
    for (const line of [
      `KUBE-SERVICES -d fd00:30::44/128 -p tcp -m comment --comment "ns4/svc4:p80 cluster IP" -m tcp --dport 80 -j SVC`,
      `SVC ! -s fd00:180::/56 -d fd00:30::44/128 -p tcp -m comment --comment "ns4/svc4:p80 cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ`,
      `KUBE-NODEPORTS -p tcp -m comment --comment "ns4/svc4:p80" -m tcp --dport 30080 -j EXT`,
    ])
      expect(about(text)).toContain(line);
    expect(text).toContain(
      `-A ${chain} -s fd00:180::1/128 -m comment --comment "ns4/svc4:p80" -j KUBE-MARK-MASQ\n`,
    );
    expect(text).toContain(
      `-A ${chain} -p tcp -m comment --comment "ns4/svc4:p80" -m recent --set --name ${chain} --mask ${mask} --rsource -m tcp -j DNAT --to-destination [fd00:180::1]:80\n`,
    );
    expect(text).not.toMatch(/172\.30|10\.180|127\.0/);
  });

  it('refuses where there is no endpoint as ICMPv6 does', () => {
    const none = printedPorts(
      [both],
      () => [slices[0] ?? slice('IPv4', '10.180.0.1')],
      {
        nodeName: 'here',
        zone: '',
      },
      'IPv6',
    );
    for (const text of [currentIptables(none, options), iptables120(none, options)])
      expect(text).toContain(
        '-d fd00:30::44/128 -p tcp -m comment --comment "ns4/svc4:p80 has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp6-port-unreachable',
      );
  });

  it('stands behind IPv4 in ipvsadm', () => {
    const four = printedPorts([both], () => slices, { nodeName: 'here', zone: '' });
    const text = ipvsadm([...ports, ...four], {
      scheduler: 'rr',
      nodeAddresses: ['192.168.0.2', 'fd00:2::2'],
    });
    expect(text.match(/^TCP .*/gm)).toEqual([
      'TCP  172.30.0.44:80 rr persistent 10800',
      'TCP  192.168.0.2:30080 rr persistent 10800',
      'TCP  [fd00:2::2]:30080 rr persistent 10800',
      'TCP  [fd00:30::44]:80 rr persistent 10800',
    ]);
    expect(text).toContain('  -> [fd00:180::1]:80');
  });
});
