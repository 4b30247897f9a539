import { describe, expect, it } from '@jest/globals';
import { topologyOf } from './topology.js';

const processor = (socket: number, core: number): string =>
  `processor\t: 0\nphysical id\t: ${socket}\ncore id\t\t: ${core}\ncpu cores\t: 2\n`;

describe('topologyOf()', () => {
  it('counts sockets and cores once, whatever their threads', () => {
    const cpuinfo = [
      processor(0, 0),
      processor(0, 0),
      processor(0, 1),
      processor(1, 0),
      processor(1, 0),
    ].join('\n');
    expect(topologyOf(cpuinfo, 'MemTotal:  9 kB\nSwapTotal:       2 kB\n')).toEqual({
      sockets: 2,
      physicalCores: 3,
      swapBytes: 2048,
    });
  });

  it('says nothing where the kernel does not tell', () => {
    expect(topologyOf('processor\t: 0\nBogoMIPS\t: 50\n', '')).toEqual({});
  });
});
