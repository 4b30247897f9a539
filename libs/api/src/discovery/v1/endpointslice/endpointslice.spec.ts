import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../../findings.fixture.js';
import { context, objectOf, refusals } from '../../../findings.fixture.js';
import type { EndpointSlice } from '../../../types.js';
import { EndpointSliceKind, endpointSliceStrategy } from './endpointslice.kind.js';

const HOSTNAME = 'kubernetes.io/hostname';
const endpoint = (more: object): object => ({
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.1.2.3'], ...more }],
});
const names = (...all: string[]): object[] => all.map((name) => ({ name }));
const LABEL =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

function warningsOf(change: object): string[] {
  const told: string[] = [];
  const object = objectOf(EndpointSliceKind, change);
  EndpointSliceKind.strategy.validate?.(object, {
    ...context,
    warn: (text) => void told.push(text),
  });
  return told;
}

describe('an EndpointSlice', () => {
  it.each<Refused>([
    {
      name: 'hints for a zone twice, and for none that can be',
      change: endpoint({ hints: { forZones: names('a', 'a', '-') } }),
      want: [
        'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
        `endpoints[0].hints.forZones[2].name: Invalid value: "-": ${LABEL}`,
      ],
    },
    {
      name: 'too many hints, and nothing of the others',
      change: endpoint({
        hints: {
          forZones: names('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'),
          forNodes: names('-'),
        },
      }),
      want: ['endpoints[0].hints.forZones: Too many: 9: must have at most 8 items'],
    },
    {
      name: 'no address',
      change: endpoint({ addresses: [] }),
      want: ['endpoints[0].addresses: Required value: must contain at least 1 address'],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(EndpointSliceKind, change)).toEqual(want);
  });

  it('keeps a node that only its old topology named, and no topology', () => {
    const old = objectOf<EndpointSlice>(
      EndpointSliceKind,
      endpoint({ deprecatedTopology: { [HOSTNAME]: 'node-1' } }),
    );
    const now = objectOf<EndpointSlice>(
      EndpointSliceKind,
      endpoint({ deprecatedTopology: { [HOSTNAME]: 'node-1' }, conditions: { ready: true } }),
    );
    EndpointSliceKind.strategy.prepareForUpdate?.(now, old, context);
    expect(now.endpoints).toEqual([
      { addresses: ['10.1.2.3'], conditions: { ready: true }, nodeName: 'node-1' },
    ]);
  });

  it('leaves endpoints alone that do not change', () => {
    const slice = (): EndpointSlice =>
      objectOf(EndpointSliceKind, endpoint({ deprecatedTopology: { a: 'b' } }));
    const now = slice();
    EndpointSliceKind.strategy.prepareForUpdate?.(now, slice(), context);
    expect(now).toEqual(slice());
  });

  it('has a topology where v1beta1 creates it', () => {
    const now = objectOf(EndpointSliceKind, endpoint({ deprecatedTopology: { a: 'b' } }));
    endpointSliceStrategy.prepareForCreate?.(now, context);
    expect(now.endpoints?.[0]?.deprecatedTopology).toEqual({ a: 'b' });
  });

  it('is warned of names, and of addresses that are not canonical', () => {
    expect(warningsOf({ addressType: 'FQDN', endpoints: [] })).toEqual([
      'spec.addressType: FQDN endpoints are deprecated',
    ]);
    const loose = { addressType: 'IPv6', endpoints: [{ addresses: ['2001:db8:0:0::1'] }] };
    expect(warningsOf(loose)).toEqual([
      expect.stringMatching(/^endpoints\[0\]\.addresses\[0\]: IPv6 address "2001:db8:0:0::1"/),
    ]);
    const own = {
      ...loose,
      metadata: {
        labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
      },
    };
    expect(warningsOf(own)).toEqual([]);
  });
});
