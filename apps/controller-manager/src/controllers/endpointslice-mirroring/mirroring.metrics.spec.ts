import { describe, expect, it } from '@jest/globals';
import type { Endpoints, EndpointSlice } from '@orrery/api';
import { addressesSkipped, updatedEndpoints } from './mirroring.metrics.js';

const ips = (...all: string[]): { ip: string }[] => all.map((ip) => ({ ip }));

describe('addressesSkipped()', () => {
  it.each([
    { name: 'none', subsets: [{ addresses: ips('a'), notReadyAddresses: ips('b') }], want: 0 },
    {
      name: 'too many of both',
      subsets: [{ addresses: ips('a', 'b'), notReadyAddresses: ips('c') }],
      want: 1,
    },
    {
      name: 'each subset by itself',
      subsets: [{ addresses: ips('a', 'b', 'c') }, { addresses: ips('d', 'e') }],
      want: 1,
    },
  ])('$name', ({ subsets, want }) => {
    expect(addressesSkipped({ metadata: {}, subsets } as Endpoints, 2)).toBe(want);
  });
});

describe('updatedEndpoints()', () => {
  const slice = (...endpoints: readonly object[]): EndpointSlice =>
    ({ metadata: { name: 's' }, addressType: 'IPv4', endpoints }) as EndpointSlice;
  const one = (address: string, ready: boolean): object => ({
    addresses: [address],
    conditions: { ready },
  });
  it.each([
    { name: 'one that is ready now', after: [one('a', true), one('b', true)], want: 1 },
    { name: 'none that is new', after: [one('a', true), one('c', true)], want: 0 },
  ])('$name', ({ after, want }) => {
    const existing = [slice(one('a', true), one('b', false))];
    expect(updatedEndpoints(existing, { create: [], update: [slice(...after)], remove: [] })).toBe(
      want,
    );
  });
});
