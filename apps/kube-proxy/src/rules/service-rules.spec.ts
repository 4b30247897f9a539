import { describe, expect, it } from '@jest/globals';
import type { Endpoint, EndpointSlice, Service } from '@orrery/api';
import { serviceRules, unservedParts } from './service-rules.js';
import type { RuleContext } from './service-rules.js';

const context: RuleContext = {
  nodeName: 'k8s-02',
  nodeAddresses: ['127.9.0.2'],
  policy: 'rr',
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

  it('trusts the endpoints of default/kubernetes alone', () => {
    const [own] = serviceRules(service({}, 'kubernetes'), [], context);
    const [other] = serviceRules(service({}), [], context);
    expect([own?.trusted, other?.trusted]).toEqual([true, undefined]);
  });

  it('names what is not served', () => {
    expect(
      unservedParts(service({ externalIPs: ['1.2.3.4'], ports: [{ port: 5, protocol: 'SCTP' }] })),
    ).toHaveLength(2);
  });
});
