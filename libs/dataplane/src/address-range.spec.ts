import { describe, expect, it } from '@jest/globals';
import { AddressRange, DialGuard } from './address-range.js';

describe(DialGuard.name, () => {
  const guard = new DialGuard(
    ['10.244.0.0/16', 'fd00:10:244::/56', '127.0.0.0/8'],
    ['10.0.0.0/24'],
  );

  it.each([
    { address: '10.244.1.2', port: 2379, allowed: true },
    { address: 'fd00:10:244::5', port: 80, allowed: true },
    { address: '127.10.65.2', port: 80, allowed: true },
    { address: '10.0.0.7', port: 8080, allowed: true },
    { address: '10.0.0.7', port: 6443, allowed: false },
    { address: '10.0.1.7', port: 80, allowed: false },
    { address: '127.0.0.1', port: 80, allowed: false },
    { address: '::1', port: 80, allowed: false },
    { address: '::ffff:127.0.0.1', port: 80, allowed: false },
    { address: '::ffff:10.244.1.2', port: 80, allowed: false },
    { address: 'fe80::1', port: 80, allowed: false },
    { address: 'fd00:10:244::5%lo', port: 80, allowed: false },
    { address: 'localhost', port: 80, allowed: false },
    { address: '', port: 80, allowed: false },
  ])('$address:$port: $allowed', ({ address, port, allowed }) => {
    expect(guard.allows(address, port)).toBe(allowed);
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
