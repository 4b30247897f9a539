import { describe, expect, it } from '@jest/globals';
import { sortPodIps } from './pod-ips.js';

describe('sortPodIps()', () => {
  it.each([
    {
      name: 'IPv4 first',
      ips: ['fd00::2', '10.0.0.2'],
      host: '10.1.0.1',
      want: '10.0.0.2,fd00::2',
    },
    { name: 'IPv6 first', ips: ['10.0.0.2', 'fd00::2'], host: 'fd01::1', want: 'fd00::2,10.0.0.2' },
    { name: 'one a family', ips: ['10.0.0.2', '10.0.0.3'], host: '10.1.0.1', want: '10.0.0.2' },
    { name: 'what there is', ips: ['fd00::2'], host: '10.1.0.1', want: 'fd00::2' },
    { name: 'nothing', ips: [], host: '10.1.0.1', want: '' },
  ])('gives $name', ({ ips, host, want }) => {
    expect(sortPodIps(ips, [host]).join()).toBe(want);
  });
});
