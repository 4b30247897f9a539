import { describe, expect, it } from '@jest/globals';
import { AddressRange, DialGuard } from './address-range.js';
import type { HostBackend } from './rule-set.js';

describe(DialGuard.name, () => {
  const guard = new DialGuard(
    ['10.244.0.0/16', 'fd00:10:244::/56', '127.0.0.0/8'],
    ['10.0.0.0/24', 'fd00:1::/64', '169.254.0.0/16', '::/8'],
  );
  const allows = (address: string, port: number, host?: HostBackend): boolean =>
    guard.allows({ address, port, ...(host ? { host } : {}) });

  it.each([
    { address: '10.244.1.2', port: 2379, allowed: true },
    { address: 'fd00:10:244::5', port: 80, allowed: true },
    { address: '127.10.65.2', port: 80, allowed: true },
    { address: '10.0.0.7', port: 8080, allowed: false },
    { address: '10.0.0.7', port: 6443, allowed: false },
    { address: '10.0.1.7', port: 80, allowed: false },
    { address: 'localhost', port: 80, allowed: false },
    { address: '', port: 80, allowed: false },
  ])('$address:$port: $allowed', ({ address, port, allowed }) => {
    expect(allows(address, port)).toBe(allowed);
  });

  it.each<{ address: string; port: number; host: HostBackend; allowed: boolean }>([
    { address: '10.0.0.7', port: 8080, host: 'pod', allowed: true },
    { address: 'fd00:1::7', port: 8080, host: 'pod', allowed: true },
    { address: '10.0.0.7', port: 6443, host: 'apiServer', allowed: true },
    { address: '10.0.0.7', port: 8443, host: 'apiServer', allowed: true },
    { address: '10.0.0.7', port: 6443, host: 'pod', allowed: false },
    { address: '10.0.1.7', port: 8080, host: 'pod', allowed: false },
    { address: '10.0.1.7', port: 6443, host: 'apiServer', allowed: false },
    ...[2379, 2380, 10_248, 10_249, 10_250, 10_255, 10_256, 10_257, 10_259].flatMap((port) =>
      (['pod', 'apiServer'] as const).map((host) => ({
        address: '10.0.0.7',
        port,
        host,
        allowed: false,
      })),
    ),
  ])('a node, $host, $address:$port: $allowed', ({ address, port, host, allowed }) => {
    expect(allows(address, port, host)).toBe(allowed);
  });

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '127.0.0.1',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.244.1.2',
    '0:0:0:0:0:ffff:7f00:1',
    '64:ff9b::7f00:1',
    'fe80::1',
    'ff02::1',
    'fd00:10:244::5%lo',
  ])('%s is never dialled, whatever the ranges and endpoints say', (address) => {
    for (const host of [undefined, 'pod', 'apiServer'] as const)
      expect(allows(address, 8080, host)).toBe(false);
  });
});

describe(AddressRange.name, () => {
  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    'fe80::1%lo',
    'fe80::%lo/64',
    'x/8',
    '/',
    '',
  ])('is not %p', (text) => {
    expect(AddressRange.parse(text)).toBeUndefined();
  });
});
