import { describe, expect, it } from '@jest/globals';
import { networkOf, parseNetDev, procCounts } from './proc-counts.js';

const TEXT = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    1000       10    0    0    0     0          0         0     1000      10    0    0    0     0       0          0
  eth0: 2097152    1500    1    2    0     0          0         0   524288     700    3    4    0     0       0          0
`;

describe('parseNetDev()', () => {
  it('reads each interface but the loopback', () => {
    expect(parseNetDev(TEXT)).toEqual([
      {
        name: 'eth0',
        rxBytes: 2_097_152,
        rxPackets: 1500,
        rxErrors: 1,
        rxDropped: 2,
        txBytes: 524_288,
        txPackets: 700,
        txErrors: 3,
        txDropped: 4,
      },
    ]);
  });
});

describe('networkOf()', () => {
  it('tells nothing of the namespace that all share', () => {
    expect(networkOf(process.pid)).toEqual([]);
  });
});

describe('procCounts()', () => {
  it('counts what a process has open, and nothing of one that is gone', () => {
    const own = procCounts([process.pid]);
    expect(own.threads).toBeGreaterThan(1);
    expect(own.fileDescriptors).toBeGreaterThan(2);
    expect(procCounts([process.pid, 2 ** 30])).toMatchObject({ threads: own.threads });
  });
});
