import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../findings.fixture.js';
import { refusals, updateRefusals } from '../../findings.fixture.js';
import { IPAddressKind } from './ipaddress/ipaddress.kind.js';
import { IngressKind } from './ingress/ingress.kind.js';
import { ServiceCIDRKind } from './servicecidr/servicecidr.kind.js';

const cidrs = (...all: string[]): object => ({ spec: { cidrs: all } });
const ONE =
  'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';

describe('a ServiceCIDR', () => {
  it.each<Refused>([
    {
      name: 'two ranges of one family',
      change: cidrs('10.0.0.0/24', '10.1.0.0/24'),
      want: [`spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: ${ONE}`],
    },
    {
      name: 'what is no range, without a word on families',
      change: cidrs('10.0.0.0/24', 'x'),
      want: [
        'spec.cidrs[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(ServiceCIDRKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    { name: 'stay wrong', before: cidrs('10.0.0.9/24'), after: cidrs('10.0.0.9/24'), want: [] },
    {
      name: 'not become wrong',
      before: cidrs('10.0.0.0/24'),
      after: cidrs('10.0.0.0/24', '10.1.0.0/24'),
      want: [`spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: ${ONE}`],
    },
  ])('may $name', ({ before, after, want }) => {
    expect(updateRefusals(ServiceCIDRKind, before, after)).toEqual(want);
  });
});

describe('an IPAddress', () => {
  it('is only asked for its parent when it is new', () => {
    const orphan = { spec: { parentRef: { resource: '', name: 'x' } } };
    expect(updateRefusals(IPAddressKind, orphan, orphan)).toEqual([]);
  });
});

describe('an Ingress', () => {
  it('may mean a service whose name begins with a digit', () => {
    const service = { name: '1web', port: { number: 80 } };
    expect(refusals(IngressKind, { spec: { defaultBackend: { service } } })).toEqual([]);
  });
});
