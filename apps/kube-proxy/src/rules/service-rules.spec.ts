import { describe, expect, it } from '@jest/globals';
import type { Endpoint, EndpointSlice, Service } from '@orrery/api';
import { noticesOf } from './notices.js';
import { localEndpoints, serviceRules } from './service-rules.js';
import type { RuleContext } from './service-rules.js';

const context: RuleContext = {
  nodeName: 'k8s-02',
  zone: 'east',
  nodePortAddresses: ['127.9.0.2'],
  ownedAddresses: new Set(['127.9.0.2', '10.0.0.2']),
  policy: 'rr',
  localSources: ['127.9.0.2', '127.9.64.0/18'],
};

const service = (spec: Partial<Service['spec']>, name = 'web'): Service => ({
  metadata: { namespace: 'default', name },
  spec: {
    type: 'ClusterIP',
    clusterIP: '127.9.128.5',
    clusterIPs: ['127.9.128.5'],
    ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }],
    ...spec,
  },
});

const endpoint = (
  address: string,
  conditions: Endpoint['conditions'] = {},
  nodeName = 'k8s-02',
): Endpoint => ({
  addresses: [address],
  conditions,
  nodeName,
});

const slice = (...endpoints: Endpoint[]): EndpointSlice => ({
  metadata: { namespace: 'default', name: 'web-1' },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints,
});

const terminating = { ready: false, serving: true, terminating: true };

describe('serviceRules()', () => {
  it('serves the cluster address with the slice port and the mode', () => {
    expect(serviceRules(service({}), [slice(endpoint('127.9.65.2'))], context)).toEqual([
      {
        id: 'default/web:http',
        protocol: 'TCP',
        frontends: [{ address: '127.9.128.5', port: 80, kind: 'clusterIP' }],
        policy: 'rr',
        affinityMs: 0,
        backends: [{ address: '127.9.65.2', port: 8080, weight: 1 }],
      },
    ]);
  });

  it.each<{ name: string; endpoints: Endpoint[]; want: string[] }>([
    {
      name: 'leaves out endpoints that are not ready',
      endpoints: [endpoint('127.9.65.2'), endpoint('127.9.65.3', { ready: false })],
      want: ['127.9.65.2'],
    },
    {
      name: 'prefers ready endpoints to terminating ones',
      endpoints: [endpoint('127.9.65.2', terminating), endpoint('127.9.65.3')],
      want: ['127.9.65.3'],
    },
    {
      name: 'falls back to terminating endpoints that serve',
      endpoints: [endpoint('127.9.65.2', terminating), endpoint('127.9.65.4', { ready: false })],
      want: ['127.9.65.2'],
    },
    {
      name: 'orders endpoints by address, each once',
      endpoints: [endpoint('127.9.65.4'), endpoint('127.9.65.2'), endpoint('127.9.65.4')],
      want: ['127.9.65.2', '127.9.65.4'],
    },
  ])('$name', ({ endpoints, want }) => {
    const [rule] = serviceRules(service({}), [slice(...endpoints)], context);
    expect(rule?.backends.map((b) => b.address)).toEqual(want);
  });

  it('adds node ports on this node and obeys externalTrafficPolicy Local there alone', () => {
    const rules = serviceRules(
      service({
        type: 'NodePort',
        externalTrafficPolicy: 'Local',
        ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30_080 }],
      }),
      [slice(endpoint('127.9.65.2'), endpoint('127.9.66.2', {}, 'k8s-03'))],
      context,
    );
    expect(rules.map((rule) => [rule.frontends[0]?.kind, rule.backends.length])).toEqual([
      ['clusterIP', 2],
      ['nodePort', 1],
    ]);
  });

  it.each([
    { name: 'in mode iptables', policy: 'random', here: 1, want: 2 },
    { name: 'in mode ipvs where the node has none', policy: 'rr', here: 0, want: 1 },
    { name: 'not in mode ipvs where the node has one', policy: 'rr', here: 1, want: 1 },
  ] as const)(
    'externalTrafficPolicy Local binds clients from outside; pods reach every endpoint $name',
    ({ policy, here, want }) => {
      const local = here > 0 ? [endpoint('127.9.65.2')] : [];
      const [, rule] = serviceRules(
        service({
          type: 'NodePort',
          externalTrafficPolicy: 'Local',
          ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30_080 }],
        }),
        [slice(...local, endpoint('127.9.66.2', {}, 'k8s-03'))],
        { ...context, policy },
      );
      expect(rule?.backends.length).toBe(here);
      expect(rule?.inside?.sources).toEqual(context.localSources);
      expect(rule?.inside?.backends.length).toBe(want);
    },
  );

  it.each<{ name: string; spec: Partial<Service['spec']> }>([
    { name: 'a headless service has no rules', spec: { clusterIP: 'None' } },
    { name: 'an external name has no rules', spec: { type: 'ExternalName' } },
    { name: 'a service without address has no rules', spec: { clusterIP: '' } },
  ])('$name', ({ spec }) => {
    expect(serviceRules(service(spec), [], context)).toEqual([]);
  });

  it('keeps a client on its endpoint for the affinity time', () => {
    const [rule] = serviceRules(service({ sessionAffinity: 'ClientIP' }), [], context);
    expect(rule?.affinityMs).toBe(10_800_000);
  });

  it('publishNotReadyAddresses: takes the slice at its word', () => {
    const both = { ready: true, serving: false, terminating: true };
    const [rule] = serviceRules(service({}), [slice(endpoint('127.9.65.2', both))], context);
    expect(rule?.backends).toHaveLength(1);
  });

  const hinted = (address: string, zones: string[], nodes: string[] = []): Endpoint => ({
    ...endpoint(address),
    hints: {
      forZones: zones.map((name) => ({ name })),
      ...(nodes.length > 0 ? { forNodes: nodes.map((name) => ({ name })) } : {}),
    },
  });

  it.each<{ name: string; endpoints: Endpoint[]; want: string[] }>([
    {
      name: 'stays in the zone when every endpoint has a hint',
      endpoints: [hinted('127.9.65.2', ['east']), hinted('127.9.65.3', ['west'])],
      want: ['127.9.65.2'],
    },
    {
      name: 'ignores hints when one endpoint has none',
      endpoints: [hinted('127.9.65.2', ['east']), endpoint('127.9.65.3')],
      want: ['127.9.65.2', '127.9.65.3'],
    },
    {
      name: 'ignores hints when none is for this zone',
      endpoints: [hinted('127.9.65.2', ['west']), hinted('127.9.65.3', ['north'])],
      want: ['127.9.65.2', '127.9.65.3'],
    },
    {
      name: 'prefers the node (trafficDistribution PreferSameNode) to the zone',
      endpoints: [
        hinted('127.9.65.2', ['east'], ['k8s-02']),
        hinted('127.9.65.3', ['east'], ['k8s-03']),
      ],
      want: ['127.9.65.2'],
    },
  ])('topology hints: $name', ({ endpoints, want }) => {
    const [rule] = serviceRules(service({}), [slice(...endpoints)], context);
    expect(rule?.backends.map((b) => b.address)).toEqual(want);
  });

  it('gives load balancer addresses a rule of their own when sources are restricted', () => {
    const balanced = {
      ...service({
        type: 'LoadBalancer',
        loadBalancerSourceRanges: ['192.0.2.0/24'],
        ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30_080 }],
      }),
      status: {
        loadBalancer: { ingress: [{ ip: '127.9.200.1' }, { ip: '127.9.200.2', ipMode: 'Proxy' }] },
      },
    };
    expect(
      serviceRules(balanced, [slice(endpoint('127.9.65.2'))], context).map((rule) => [
        rule.id,
        rule.frontends.map((f) => `${f.kind} ${f.address}:${f.port}`).join(),
        rule.allowedSources,
      ]),
    ).toEqual([
      ['default/web:http', 'clusterIP 127.9.128.5:80', undefined],
      ['default/web:http external', 'nodePort 127.9.0.2:30080', undefined],
      ['default/web:http loadBalancer', 'loadBalancer 127.9.200.1:80', ['192.0.2.0/24']],
    ]);
  });

  it('lets the node in at a balancer address, from which its own connections come, where its ranges do', () => {
    const balanced = {
      ...service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'] }),
      status: { loadBalancer: { ingress: [{ ip: '127.9.200.1' }] } },
    };
    const rules = serviceRules(balanced, [], context);
    expect(rules.at(-1)?.allowedSources).toEqual(['10.0.0.0/8', '127.9.200.1']);
  });

  it('CVE-2020-8554: serves external addresses of this node alone', () => {
    const rules = serviceRules(
      service({ externalIPs: ['10.0.0.2', '8.8.8.8', '127.9.128.10'] }),
      [],
      context,
    );
    expect(rules.flatMap((rule) => rule.frontends.map((f) => f.address))).toEqual([
      '127.9.128.5',
      '10.0.0.2',
    ]);
  });

  it('chooses local endpoints for internalTrafficPolicy Local', () => {
    const [rule] = serviceRules(
      service({ internalTrafficPolicy: 'Local' }),
      [slice(endpoint('127.9.65.2'), endpoint('127.9.66.2', {}, 'k8s-03'))],
      context,
    );
    expect(rule?.backends.map((b) => b.address)).toEqual(['127.9.65.2']);
  });

  it('serves each port of its own name, protocol and family', () => {
    const dual = service({
      clusterIPs: ['127.9.128.5', 'fd00::5'],
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    });
    const ports = [
      { name: 'dns', port: 5353, protocol: 'UDP' as const },
      { name: 'dns-tcp', port: 5354, protocol: 'TCP' as const },
    ];
    const four = { ...slice(endpoint('127.9.65.2')), ports };
    const six = { ...slice(endpoint('fd00::65')), addressType: 'IPv6' as const, ports };
    expect(
      serviceRules(dual, [four, six], { ...context, udpIdleMs: 5_000 }).map((rule) => [
        rule.id,
        rule.protocol,
        rule.backends.map((b) => `${b.address} ${b.port}`).join(),
        rule.udpIdleMs,
      ]),
    ).toEqual([
      ['default/web:dns', 'UDP', '127.9.65.2 5353', 5_000],
      ['default/web:dns IPv6', 'UDP', 'fd00::65 5353', 5_000],
      ['default/web:dns-tcp', 'TCP', '127.9.65.2 5354', undefined],
      ['default/web:dns-tcp IPv6', 'TCP', 'fd00::65 5354', undefined],
    ]);
  });

  it('limits connections by annotation', () => {
    const limited = service({});
    limited.metadata.annotations = { 'orrery.dev/max-connections': '7' };
    expect(serviceRules(limited, [], context)[0]?.maxConnections).toBe(7);
  });

  it('counts the ready endpoints of this node for the health check node port', () => {
    const slices = [
      slice(
        endpoint('127.9.65.2'),
        endpoint('127.9.65.3', { ready: false }),
        endpoint('127.9.66.2', {}, 'k8s-03'),
      ),
    ];
    expect(localEndpoints(service({}), slices, context)).toBe(1);
  });

  it('counts endpoints of different ports together, each address once', () => {
    const ports = ['a', 'b'].map((name) => ({ name, port: 80, protocol: 'TCP' as const }));
    const of = (name: string, ...addresses: string[]): EndpointSlice => ({
      ...slice(...addresses.map((address) => endpoint(address))),
      ports: [{ name, port: 8080, protocol: 'TCP' }],
    });
    const slices = [of('a', '127.9.65.2', '127.9.65.3'), of('b', '127.9.65.3', '127.9.65.4')];
    expect(localEndpoints(service({ ports }), slices, context)).toBe(3);
  });
});

describe('noticesOf()', () => {
  it('names what is not served, and ports that answer elsewhere', () => {
    const odd = service({
      externalIPs: ['8.8.8.8'],
      ports: [
        { name: 'a', port: 5, protocol: 'SCTP' },
        { name: 'b', port: 80, protocol: 'TCP' },
      ],
    });
    const reachablePort = (port: number): number => (port < 1024 ? port + 20_000 : port);
    expect(noticesOf(odd, context, { reachablePort, refused: ['127.9.0.1:22'] })).toEqual([
      {
        type: 'Warning',
        reason: 'ProtocolNotSupported',
        message: 'port 5/SCTP is not served: SCTP is not modelled',
      },
      {
        type: 'Warning',
        reason: 'ExternalIPNotOwned',
        message: 'externalIPs 8.8.8.8 are not served on k8s-02: not an address of this node',
      },
      {
        type: 'Warning',
        reason: 'EndpointNotDialled',
        message:
          "endpoints 127.9.0.1:22 are not dialled: outside of the pods' range only a port of a hostNetwork pod is, which the endpoint names as its targetRef",
      },
      {
        type: 'Normal',
        reason: 'PortRemapped',
        message: 'port 80 answers on 20080: this machine allows no listener below 1024',
      },
    ]);
  });

  it('says nothing of a service that is served as it says', () => {
    expect(noticesOf(service({}), context, { reachablePort: (port) => port })).toEqual([]);
  });
});
