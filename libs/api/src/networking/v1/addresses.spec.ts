import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../findings.fixture.js';
import { refusals, updateRefusals } from '../../findings.fixture.js';
import { IPAddressKind } from './ipaddress/ipaddress.kind.js';
import { ServiceCIDRKind } from './servicecidr/servicecidr.kind.js';

const ranges = (...cidrs: string[]): object => ({ spec: { cidrs } });

describe('a ServiceCIDR', () => {
  it.each<Refused>([
    {
      name: 'no range',
      change: ranges(),
      want: ['spec.cidrs: Required value: at least one CIDR required'],
    },
    {
      name: 'three ranges',
      change: ranges('10.0.0.0/24', 'fd00::/112', '10.1.0.0/24'),
      want: [
        'spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/24","fd00::/112","10.1.0.0/24"]}: may only hold up to 2 values',
      ],
    },
    {
      name: 'two ranges of one family',
      change: ranges('10.0.0.0/24', '10.1.0.0/24'),
      want: [
        'spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ],
    },
    {
      name: 'ranges written otherwise',
      change: ranges('10.0.0.1/24', 'FD00::/112'),
      want: [
        'spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length',
        'spec.cidrs[1]: Invalid value: "FD00::/112": must be in canonical form ("fd00::/112")',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(ServiceCIDRKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    {
      name: 'its range',
      before: ranges('10.0.0.0/24'),
      after: ranges('10.1.0.0/24'),
      want: ['spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable'],
    },
    {
      name: 'its number of ranges',
      before: ranges('10.0.0.0/24', 'fd00::/112'),
      after: ranges('10.0.0.0/24'),
      want: ['spec.cidrs: Invalid value: ["10.0.0.0/24"]: field is immutable'],
    },
  ])('keeps $name', ({ before, after, want }) => {
    expect(updateRefusals(ServiceCIDRKind, before, after)).toEqual(want);
  });

  it('may grow by a second family', () => {
    const [before, after] = [ranges('10.0.0.0/24'), ranges('10.0.0.0/24', 'fd00::/112')];
    expect(updateRefusals(ServiceCIDRKind, before, after)).toEqual([]);
  });
});

describe('an IPAddress', () => {
  it.each<Refused>([
    {
      name: 'a name that is no address',
      change: { metadata: { name: 'web' } },
      want: [
        'metadata.name: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    },
    {
      name: 'an address written otherwise',
      change: { metadata: { name: '2001:DB8::1' } },
      want: [
        'metadata.name: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")',
      ],
    },
    {
      name: 'no parent',
      change: { spec: { parentRef: undefined } },
      want: ['spec.parentRef: Required value'],
    },
    {
      name: 'a parent without name',
      change: { spec: { parentRef: { resource: '', name: '', group: 'A_b', namespace: 'C' } } },
      want: [
        "spec.parentRef.group: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'spec.parentRef.resource: Required value',
        'spec.parentRef.name: Required value',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(IPAddressKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    {
      name: 'its parent',
      before: {},
      after: { spec: { parentRef: { name: 'other' } } },
      want: [
        'spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"default","Name":"other"}: field is immutable',
      ],
    },
  ])('keeps $name', ({ before, after, want }) => {
    expect(updateRefusals(IPAddressKind, before, after)).toEqual(want);
  });
});
