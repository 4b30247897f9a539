import { describe, expect, it } from '@jest/globals';
import type { Endpoints, Service } from '@orrery/api';
import { isMirrored, planMirror } from './mirroring.decide.js';

const endpoints = (metadata: object = {}, subsets: object[] = []): Endpoints =>
  ({ metadata: { name: 'e', namespace: 'n', uid: 'u', ...metadata }, subsets }) as Endpoints;

const service = (selector?: Record<string, string>): Service => ({
  metadata: { name: 'e' },
  spec: selector ? { selector } : {},
});

describe('isMirrored()', () => {
  it.each([
    {
      name: 'those of a Service without a selector',
      endpoints: endpoints(),
      service: service(),
      want: true,
    },
    {
      name: 'not those of a Service with one',
      endpoints: endpoints(),
      service: service({ a: 'b' }),
      want: false,
    },
    {
      name: 'not those without a Service',
      endpoints: endpoints(),
      service: undefined,
      want: false,
    },
    {
      name: 'not those that say so',
      endpoints: endpoints({ labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }),
      service: service(),
      want: false,
    },
    {
      name: 'not those of an election',
      endpoints: endpoints({ annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
      service: service(),
      want: false,
    },
    {
      name: 'not those that go',
      endpoints: endpoints({ deletionTimestamp: 't' }),
      service: service(),
      want: false,
    },
  ])('$name', ({ endpoints: one, service: its, want }) => {
    expect(isMirrored(one, its)).toBe(want);
  });
});

describe('planMirror()', () => {
  const ip = (...ips: string[]): object[] => ips.map((one) => ({ ip: one }));
  const ports = [{ port: 80 }];
  const shape = (one: Endpoints, most = 1000): string[] =>
    planMirror(one, [], most).create.map(({ addressType, endpoints: list }) => {
      const all = (list ?? []).map(
        ({ addresses, conditions }) => `${addresses[0]}${conditions?.ready ? '+' : '-'}`,
      );
      return `${addressType} ${all.join(' ')}`;
    });
  it.each([
    {
      name: 'a slice for each family',
      subsets: [{ addresses: ip('10.0.0.1', 'fd00::1'), ports }],
      want: ['IPv4 10.0.0.1+', 'IPv6 fd00::1+'],
    },
    {
      name: 'a slice for each set of ports',
      subsets: [
        { addresses: ip('10.0.0.1'), ports },
        { addresses: ip('10.0.0.2'), ports: [{ port: 81 }] },
      ],
      want: ['IPv4 10.0.0.1+', 'IPv4 10.0.0.2+'],
    },
    {
      name: 'those that are not ready, too',
      subsets: [{ addresses: ip('10.0.0.1'), notReadyAddresses: ip('10.0.0.2'), ports }],
      want: ['IPv4 10.0.0.1+ 10.0.0.2-'],
    },
    {
      name: 'no more than the limit, ready ones first',
      subsets: [
        { addresses: ip('10.0.0.1'), notReadyAddresses: ip('10.0.0.2', '10.0.0.3'), ports },
      ],
      most: 2,
      want: ['IPv4 10.0.0.1+ 10.0.0.2-'],
    },
    { name: 'nothing of nothing', subsets: [], want: [] },
  ])('$name', ({ subsets, most, want }) => {
    expect(shape(endpoints({}, subsets), most)).toEqual(want);
  });

  it('changes nothing when the slices say it already', () => {
    const one = endpoints({}, [{ addresses: ip('10.0.0.1'), ports }]);
    const { create } = planMirror(one, [], 1000);
    expect(planMirror(one, create, 1000)).toEqual({ create: [], update: [], remove: [] });
  });
});
