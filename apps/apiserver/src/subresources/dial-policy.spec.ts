import { describe, expect, it } from '@jest/globals';
import { DialPolicy } from './dial-policy.js';

describe('DialPolicy (CVE-2020-8562, CVE-2022-3294)', () => {
  const policy = new DialPolicy(['127.5.64.0/18', '127.5.0.0/25']);

  it.each([
    { name: 'a pod of the cluster in loopback', address: '127.5.65.3', want: true },
    { name: 'a node of the cluster', address: '127.5.0.1', want: true },
    { name: 'etcd of the cluster', address: '127.5.0.201', want: false },
    { name: 'this host', address: '127.0.0.1', want: false },
    { name: 'this host, mapped', address: '::ffff:127.0.0.1', want: false },
    { name: 'this host, IPv6', address: '::1', want: false },
    { name: 'cloud metadata', address: '169.254.169.254', want: false },
    { name: 'any', address: '0.0.0.0', want: false },
    { name: 'multicast', address: '224.0.0.1', want: false },
    { name: 'an address elsewhere', address: '10.1.2.3', want: true },
    { name: 'no address', address: 'etcd', want: false },
  ])('$name: $want', ({ address, want }) => {
    expect(policy.allows(address)).toBe(want);
  });

  it('refuses a name that resolves to this host', async () => {
    await expect(policy.resolve('localhost')).rejects.toThrow('address not allowed');
  });
});
