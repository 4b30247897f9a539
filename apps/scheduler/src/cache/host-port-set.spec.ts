import { describe, expect, it } from '@jest/globals';
import type { HostPort } from '../framework/pod-info.js';
import { HostPortSet } from './host-port-set.js';

const port = (ip: string, number = 80, protocol = 'TCP'): HostPort => ({
  ip,
  protocol,
  port: number,
});

interface Case {
  readonly name: string;
  readonly used: HostPort;
  readonly wanted: HostPort;
  readonly want: boolean;
}

describe(HostPortSet.name, () => {
  it.each<Case>([
    { name: 'same address', used: port('1.1.1.1'), wanted: port('1.1.1.1'), want: true },
    { name: 'other address', used: port('1.1.1.1'), wanted: port('1.1.1.2'), want: false },
    { name: 'any against one', used: port('0.0.0.0'), wanted: port('1.1.1.1'), want: true },
    { name: 'one against any', used: port('1.1.1.1'), wanted: port('0.0.0.0'), want: true },
    { name: 'other port', used: port('0.0.0.0'), wanted: port('0.0.0.0', 81), want: false },
    {
      name: 'other protocol',
      used: port('0.0.0.0'),
      wanted: port('0.0.0.0', 80, 'UDP'),
      want: false,
    },
  ])('$name', ({ used, wanted, want }) => {
    const set = new HostPortSet();
    set.add(used);
    expect(set.conflicts(wanted)).toBe(want);
    set.remove(used);
    expect(set.conflicts(wanted)).toBe(false);
  });
});
