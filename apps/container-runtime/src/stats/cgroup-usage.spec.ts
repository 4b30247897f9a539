import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cgroupUsage } from './cgroup-usage.js';

describe('cgroupUsage()', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cgroup-usage-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const put = (files: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  const data = (total: number): object => ({ avg10: 1.5, avg60: 0.25, avg300: 0, total });

  it('reads a group of version 2, with its pressure', () => {
    const pressure = (some: number, full: number): string =>
      `some avg10=1.50 avg60=0.25 avg300=0.00 total=${some}\nfull avg10=1.50 avg60=0.25 avg300=0.00 total=${full}\n`;
    put({
      'cgroup.procs': '7\n12\n',
      'cpu.stat':
        'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 5\nnr_throttled 2\nthrottled_usec 9\n',
      'memory.stat':
        'anon 1\nfile 4096\nfile_mapped 2048\ninactive_file 3\nactive_file 4\npgfault 8\npgmajfault 1\n',
      'memory.swap.current': '512\n',
      'memory.peak': '9000\n',
      'memory.low': '0\n',
      'memory.swap.max': 'max\n',
      'memory.events': 'low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n',
      'cpu.pressure': pressure(3, 2),
      'memory.pressure': pressure(5, 4),
      'io.pressure': pressure(7, 6),
    });
    expect(cgroupUsage(2, [root])).toEqual({
      pids: [7, 12],
      userNs: 20_000,
      systemNs: 10_000,
      periods: 5,
      throttledPeriods: 2,
      throttledNs: 9_000,
      cache: 4096,
      mappedFile: 2048,
      activeFile: 4,
      inactiveFile: 3,
      swap: 512,
      maxUsage: 9000,
      pageFaults: 8,
      majorPageFaults: 1,
      reservation: 0,
      swapLimit: 0,
      oomKills: 1,
      pressure: {
        cpu: { some: data(3_000), full: data(2_000) },
        memory: { some: data(5_000), full: data(4_000) },
        io: { some: data(7_000), full: data(6_000) },
      },
    });
  });

  it('reads a group of version 1, whose controllers lie apart, and leaves out what nobody tells', () => {
    put({
      'memory/cgroup.procs': '7\n',
      'memory/memory.stat':
        'cache 10\nrss 1\nmapped_file 20\nswap 0\npgfault 3\npgmajfault 0\nactive_file 5\ninactive_file 6\n',
      'memory/memory.max_usage_in_bytes': '77\n',
      'memory/memory.failcnt': '2\n',
      'memory/memory.soft_limit_in_bytes': '9223372036854771712\n',
      'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 4\n',
      'cpu/cpu.stat': 'nr_periods 5\nnr_throttled 2\nthrottled_time 900\n',
      'cpuacct/cpuacct.stat': 'user 30\nsystem 4\n',
    });
    const folders = ['memory', 'cpu', 'cpuacct'].map((name) => join(root, name));
    expect(cgroupUsage(1, folders)).toEqual({
      pids: [7],
      userNs: 300_000_000,
      systemNs: 40_000_000,
      periods: 5,
      throttledPeriods: 2,
      throttledNs: 900,
      cache: 10,
      mappedFile: 20,
      activeFile: 5,
      inactiveFile: 6,
      swap: 0,
      maxUsage: 77,
      failcnt: 2,
      pageFaults: 3,
      majorPageFaults: 0,
      reservation: 0,
      oomKills: 4,
    });
  });

  it('knows nothing of a group that is gone', () => {
    expect(Object.values(cgroupUsage(2, [join(root, 'gone')])).flat()).not.toContainEqual(
      expect.anything(),
    );
  });
});
