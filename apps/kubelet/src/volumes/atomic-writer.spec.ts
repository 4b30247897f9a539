import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeAtomically } from './atomic-writer.js';
import type { VolumeFile } from './atomic-writer.js';

const payload = (files: Readonly<Record<string, string>>): Map<string, VolumeFile> =>
  new Map(
    Object.entries(files).map(([path, text]) => [
      path,
      { content: Buffer.from(text), mode: 0o640 },
    ]),
  );

const NOW = Date.UTC(2026, 10, 22, 9, 30, 5);

describe('writeAtomically()', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'volume-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  it('shows files through one symlink, with their modes', async () => {
    expect(await writeAtomically(dir, payload({ a: '1', 'sub/b': '2' }), NOW)).toBe(true);
    expect(readFileSync(join(dir, 'sub/b'), 'utf8')).toBe('2');
    expect(readlinkSync(join(dir, 'a'))).toBe('..data/a');
    expect(statSync(join(dir, 'a')).mode & 0o777).toBe(0o640);
  });

  it('changes nothing when nothing changed', async () => {
    await writeAtomically(dir, payload({ a: '1', 'sub/b': '2' }), NOW);
    const before = readlinkSync(join(dir, '..data'));
    expect(await writeAtomically(dir, payload({ a: '1', 'sub/b': '2' }), NOW)).toBe(false);
    expect(readlinkSync(join(dir, '..data'))).toBe(before);
  });

  it('replaces contents, adds and removes files, and leaves no old folder', async () => {
    await writeAtomically(dir, payload({ a: '1', b: '2' }), NOW);
    await writeAtomically(dir, payload({ a: '3', c: '4' }), NOW);
    expect(
      readdirSync(dir)
        .filter((name) => !name.startsWith('..'))
        .sort(),
    ).toEqual(['a', 'c']);
    expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('3');
    const versions = readdirSync(dir).filter((name) => /^\.\.\d/.test(name));
    expect(versions).toEqual([expect.stringMatching(/^\.\.2026_11_22_09_30_05\..+$/)]);
  });
});
