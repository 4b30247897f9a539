import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { CriLog } from './cri-log.js';

class FixedClock extends SystemClock {
  override now(): number {
    return Date.UTC(2026, 0, 1);
  }
}

describe('CriLog', () => {
  let folder: string;
  let log: CriLog;
  const read = (): string => readFileSync(join(folder, 'sub', '0.log'), 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-'));
    log = new CriLog(join(folder, 'sub', '0.log'), new FixedClock());
  });

  afterEach(() => {
    log.close();
    rmSync(folder, { recursive: true });
  });

  it('writes whole lines with rising times', () => {
    log.write('stdout', 'a\nb');
    log.write('stderr', 'x\n');
    log.write('stdout', 'c\n');
    expect(read()).toBe(
      '2026-01-01T00:00:00.000000000Z stdout F a\n' +
        '2026-01-01T00:00:00.000000001Z stderr F x\n' +
        '2026-01-01T00:00:00.000000002Z stdout F bc\n',
    );
  });

  it('keeps a character whole that arrives in two chunks', () => {
    const bytes = Buffer.from('ü\n');
    log.write('stdout', bytes.subarray(0, 1));
    log.write('stdout', bytes.subarray(1));
    expect(read()).toContain('F ü\n');
  });

  it('splits a long line and marks the parts', () => {
    log.write('stdout', `${'x'.repeat(20_000)}\n`);
    const tags = read()
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[2]);
    expect(tags).toEqual(['P', 'F']);
  });

  it('marks the last line as a part when it closes without newline', () => {
    log.write('stdout', 'last');
    log.close();
    expect(read()).toMatch(/stdout P last\n$/);
  });
});
