import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { context, objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
import { ServiceKind } from './service.kind.js';

const spec = (more: object): object => ({ spec: { ports: [{ port: 80 }], ...more } });

describe('a service of a current release', () => {
  it('may have a name that begins with a digit', () => {
    expect(refusals(ServiceKind, { metadata: { name: '1web' } })).toEqual([]);
    expect(refusals(ServiceKind, { metadata: { name: 'web.a' } })).toEqual([
      expect.stringMatching(
        /^metadata\.name: Invalid value: "web\.a": a lowercase RFC 1123 label must consist/,
      ),
    ]);
  });

  it.each<Refused>([
    {
      name: 'ports without names, of which that is told first',
      change: spec({
        ports: [
          { port: 0, name: '' },
          { port: 81, name: 'b' },
        ],
      }),
      want: [
        'spec.ports[0].name: Required value',
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    },
    {
      name: 'an unknown distribution',
      change: spec({ trafficDistribution: 'Far' }),
      want: [
        'spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
      ],
    },
    {
      name: 'an address with leading zeros',
      change: spec({ externalIPs: ['10.0.0.01'] }),
      want: ['spec.externalIPs[0]: Invalid value: "10.0.0.01": must not have leading 0s'],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(ServiceKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    {
      name: 'families in another order, by what is found before all else',
      before: spec({
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1', 'fd00::1'],
        ipFamilies: ['IPv4', 'IPv6'],
        ipFamilyPolicy: 'RequireDualStack',
      }),
      after: spec({
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1', 'fd00::1'],
        ipFamilies: ['IPv6', 'IPv4'],
        ipFamilyPolicy: 'RequireDualStack',
      }),
      want: [
        'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
        'spec.clusterIPs[1]: Invalid value: "fd00::1": expected an IPv4 value as indicated by `ipFamilies[1]`',
      ],
    },
    {
      name: 'another class, which is told first',
      before: spec({ type: 'LoadBalancer', loadBalancerClass: 'a' }),
      after: spec({ type: 'LoadBalancer', loadBalancerClass: 'b', sessionAffinity: 'Some' }),
      want: [
        'spec.loadBalancerClass: Invalid value: "b": may not change once set',
        'spec.sessionAffinity: Unsupported value: "Some": supported values: "ClientIP", "None"',
      ],
    },
  ])('is refused for $name', ({ before, after, want }) => {
    expect(updateRefusals(ServiceKind, before, after)).toEqual(want);
  });

  it('is balanced by no name that is an address', () => {
    const balanced = (ingress: object[]): object => ({
      ...spec({ type: 'LoadBalancer' }),
      status: { loadBalancer: { ingress } },
    });
    const after = balanced([{ hostname: '10.0.0.1' }]);
    expect(updateRefusals(ServiceKind, balanced([]), after, 'status')).toEqual([
      'status.loadBalancer.ingress[0].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
    ]);
  });
});

const warningsOf = (change: object): string[] => {
  const warnings: string[] = [];
  const service = objectOf(ServiceKind, change);
  const told = { ...context, warn: (text: string) => void warnings.push(text) };
  ServiceKind.strategy.prepareForCreate?.(service, told);
  expect(ServiceKind.strategy.validate?.(service, told)).toEqual([]);
  return warnings;
};

describe('warnings about services', () => {
  it.each<{ name: string; change: object; want: string[] }>([
    { name: 'a headless one', change: spec({ clusterIP: 'None' }), want: [] },
    {
      name: 'a headless one that keeps clients',
      change: spec({ clusterIP: 'None', sessionAffinity: 'ClientIP' }),
      want: ['spec.SessionAffinity is ignored for headless services'],
    },
    {
      name: 'one that prefers what is close',
      change: spec({ trafficDistribution: 'PreferClose' }),
      want: ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
    },
    {
      name: 'one with external addresses',
      change: spec({ externalIPs: ['10.0.0.1'] }),
      want: ['spec.externalIPs is deprecated'],
    },
  ])('of $name', ({ change, want }) => {
    expect(warningsOf(change)).toEqual(want);
  });
});
