import { describe, expect, it } from '@jest/globals';
import { capabilitiesOf } from './capabilities.js';

const maskOf = (numbers: readonly number[]): string =>
  numbers.reduce((mask, number) => mask | (1n << BigInt(number)), 0n).toString(16);

describe('the capabilities of a container', () => {
  it.each([
    { what: "are containerd's when it asks for nothing", add: [], drop: [], mask: 'a80425fb' },
    { what: 'grow by what is added', add: ['NET_ADMIN'], drop: [], mask: 'a80435fb' },
    { what: 'shrink by what is dropped', add: [], drop: ['chown', 'NET_RAW'], mask: 'a80405fa' },
    { what: 'are none when all are dropped', add: [], drop: ['ALL'], mask: '0' },
    { what: 'are the named ones of none', add: ['KILL'], drop: ['ALL'], mask: '20' },
    { what: 'are all when all are added', add: ['ALL'], drop: [], mask: '1ffffffffff' },
    { what: 'are all but the named ones', add: ['ALL'], drop: ['CHOWN'], mask: '1fffffffffe' },
    { what: 'are the same with a name that nobody knows', add: ['X'], drop: [], mask: 'a80425fb' },
  ])('$what', ({ add, drop, mask }) => {
    expect(maskOf(capabilitiesOf({ add, drop }))).toBe(mask);
  });
});
