import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeGroup } from './cgroup.js';

describe('makeGroup()', () => {
  it('makes folders one in the other, or finds them', () => {
    const root = mkdtempSync(join(tmpdir(), 'cgroup-'));
    const folder = makeGroup(root, 'orrery', 'one');
    expect(makeGroup(root, 'orrery', 'one')).toBe(folder);
    expect(statSync(folder).isDirectory()).toBe(true);
    rmSync(root, { recursive: true });
  });

  it('gives up where the kernel makes no folders', () => {
    expect(() => makeGroup('/proc/none', 'orrery', 'one')).toThrow('ENOENT');
  });
});
