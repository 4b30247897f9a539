import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { netnsExists } from './netns.js';

describe(netnsExists.name, () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netns-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('finds a namespace', () => {
    expect(netnsExists('net', '/proc/self/ns')).toBe(true);
  });

  it('finds none where nothing is', () => {
    expect(netnsExists('gone', folder)).toBe(false);
  });

  it('finds none where only the file is left on which it was mounted', () => {
    writeFileSync(join(folder, 'left'), '');
    expect(netnsExists('left', folder)).toBe(false);
  });
});
