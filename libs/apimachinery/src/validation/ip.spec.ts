import { describe, expect, it } from '@jest/globals';
import {
  canonicalCidrFaults,
  canonicalIpFaults,
  cidrFaults,
  cidrWarning,
  ipFaults,
  ipWarning,
  isStrictSubnet,
  parseCidr,
} from './ip.js';

describe('ipFaults()', () => {
  it.each([
    { name: 'IPv4', ip: '10.0.0.1', want: [] },
    { name: 'IPv6', ip: '2001:db8::1', want: [] },
    {
      name: 'no address',
      ip: '10.0.0',
      want: ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    },
    {
      name: 'a zone',
      ip: 'fe80::1%eth0',
      want: ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    },
    { name: 'leading zeros', ip: '010.0.0.1', want: ['must not have leading 0s'] },
    {
      name: 'a mapped address',
      ip: '::ffff:1.2.3.4',
      want: ['must not be an IPv4-mapped IPv6 address'],
    },
  ])('judges $name', ({ ip, want }) => {
    expect(ipFaults(ip)).toEqual(want);
  });

  it('lets old fields keep what they had', () => {
    expect(ipFaults('010.0.0.1', true)).toEqual([]);
  });
});

describe('canonicalIpFaults()', () => {
  it.each([
    { ip: '2001:db8::1', want: [] },
    { ip: '::', want: [] },
    { ip: '::1', want: [] },
    { ip: '1::', want: [] },
    { ip: '1:0:2::3', want: [] },
    { ip: '2001:DB8::1', want: ['must be in canonical form ("2001:db8::1")'] },
    { ip: '2001:db8:0:0:0:0:0:1', want: ['must be in canonical form ("2001:db8::1")'] },
    { ip: '1:0:0:2:0:0:0:3', want: ['must be in canonical form ("1:0:0:2::3")'] },
  ])('judges $ip', ({ ip, want }) => {
    expect(canonicalIpFaults(ip)).toEqual(want);
  });
});

describe('cidrFaults()', () => {
  it.each([
    { cidr: '10.0.0.0/8', want: [] },
    { cidr: '2001:db8::/64', want: [] },
    {
      cidr: '10.0.0.0/33',
      want: ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    },
    { cidr: '10.0.0.1/8', want: ['must not have bits set beyond the prefix length'] },
    { cidr: '010.0.0.0/8', want: ['must not have leading 0s in IP or prefix length'] },
    { cidr: '10.0.0.0/08', want: ['must not have leading 0s in IP or prefix length'] },
  ])('judges $cidr', ({ cidr, want }) => {
    expect(cidrFaults(cidr)).toEqual(want);
  });

  it('names the canonical form', () => {
    expect(canonicalCidrFaults('2001:DB8::/64')).toEqual([
      'must be in canonical form ("2001:db8::/64")',
    ]);
  });
});

describe('isStrictSubnet()', () => {
  it.each([
    { inner: '10.1.0.0/16', outer: '10.0.0.0/8', want: true },
    { inner: '10.0.0.0/8', outer: '10.0.0.0/8', want: false },
    { inner: '11.0.0.0/16', outer: '10.0.0.0/8', want: false },
    { inner: '2001:db8:1::/48', outer: '2001:db8::/32', want: true },
  ])('$inner in $outer: $want', ({ inner, outer, want }) => {
    const [a, b] = [parseCidr(inner), parseCidr(outer)];
    expect(a && b && isStrictSubnet(a, b)).toBe(want);
  });
});

describe('warnings of addresses', () => {
  it('proposes the form to use', () => {
    expect([
      ipWarning('spec.ip', '010.0.0.1'),
      ipWarning('spec.ip', '2001:DB8::1'),
      ipWarning('spec.ip', '10.0.0.1'),
      cidrWarning('spec.cidr', '10.0.0.1/8'),
    ]).toEqual([
      'spec.ip: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
      'spec.ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      undefined,
      'spec.cidr: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
    ]);
  });
});
