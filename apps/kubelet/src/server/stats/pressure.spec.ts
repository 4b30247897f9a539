import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { summaryOf } from './stats.js';
import { cadvisorMetrics } from './cadvisor.js';
import { readMachine } from '../../node/machine.js';
import { readPressure } from '@orrery/component';

describe('readPressure()', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pressure-'));
    for (const [i, name] of ['cpu', 'memory', 'io'].entries())
      writeFileSync(
        join(folder, name),
        `some avg10=1.50 avg60=0.25 avg300=0.10 total=${i + 2}000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${i}000000\n`,
      );
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('tells nothing where the kernel keeps nothing', () => {
    expect(readPressure((name) => join(folder, 'absent', name))).toBeUndefined();
  });

  it('is in the summary and in the metrics of the node', () => {
    const pressure = readPressure((name) => join(folder, name));
    if (!pressure) throw new Error('no pressure');
    const machine = { ...readMachine('/'), pressure };
    const { node } = summaryOf({
      nodeName: 'n',
      usage: [],
      podUsage: [],
      pods: [],
      machine,
      imageBytes: 0,
      startedAtMs: 0,
      nowMs: 0,
    });
    expect(node).toMatchObject({
      cpu: { psi: { some: { total: 2e9, avg10: 1.5, avg60: 0.25, avg300: 0.1 } } },
      memory: { psi: { full: { total: 1e9, avg10: 0 } } },
      io: { psi: { some: { total: 4e9 }, full: { total: 2e9 } } },
    });
    const text = cadvisorMetrics({
      usage: [],
      podUsage: [],
      metrics: [],
      pods: [],
      machine,
      topology: {},
    });
    expect(text).toContain('container_pressure_cpu_waiting_seconds_total{');
    expect(text).toMatch(/^container_pressure_io_stalled_seconds_total\{.*id="\/".*\} 2$/m);
  });
});
