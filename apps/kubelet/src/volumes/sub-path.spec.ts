import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeAtomically } from './atomic-writer.js';
import { subPathOf } from './sub-path.js';

const payload = (text: string): ReadonlyMap<string, { content: Buffer; mode: number }> =>
  new Map(['a', 'deep/b'].map((path) => [path, { content: Buffer.from(text), mode: 0o640 }]));

const NOW = Date.UTC(2026, 10, 22, 9, 30, 5);

describe(subPathOf.name, () => {
  let folder = '';
  let volume = '';
  let kept = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sub-path-'));
    volume = join(folder, 'volume');
    kept = join(folder, 'volume-subpaths', 'v', 'c', '0');
    await mkdir(join(volume, 'there'), { recursive: true });
    await mkdir(join(folder, 'outside'));
    await writeFile(join(volume, 'file'), 'text');
    await symlink(join(folder, 'outside'), join(volume, 'out'));
    await symlink('/etc', join(volume, 'there', 'etc'));
    await symlink(join(folder, 'nowhere'), join(volume, 'dangling'));
    await symlink('there', join(volume, 'in'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it.each([
    { name: 'a file', sub: 'file', want: 'file' },
    { name: 'a folder', sub: 'there', want: 'there' },
    { name: 'a link that stays inside', sub: 'in', want: 'there' },
    { name: 'what is behind a link inside', sub: 'in/new', want: 'there/new' },
    { name: 'what is not there yet', sub: 'new/deep', want: 'new/deep' },
    { name: 'the volume itself', sub: '.', want: '' },
  ])('gives $name', async ({ sub, want }) => {
    expect(await subPathOf(volume, sub, kept)).toBe(join(volume, want));
  });

  it('makes the folders that are not there', async () => {
    await subPathOf(volume, 'new/deep', kept);
    expect((await stat(join(volume, 'new', 'deep'))).isDirectory()).toBe(true);
  });

  it.each([0o777, 0o2770, 0o3777])(
    'gives what it makes the mode %d of the volume',
    async (mode) => {
      await chmod(volume, mode);
      await subPathOf(volume, 'new/deep', kept);
      expect((await stat(join(volume, 'new', 'deep'))).mode & 0o7777).toBe(mode);
    },
  );

  it.each([
    { name: 'a way up', sub: '../outside' },
    { name: 'an absolute path', sub: '/etc' },
    { name: 'a link that leads out', sub: 'out' },
    { name: 'what is behind a link that leads out', sub: 'out/new' },
    { name: 'a link to the machine (CVE-2017-1002101)', sub: 'there/etc' },
    { name: 'a file of the machine', sub: 'there/etc/passwd' },
    { name: 'a link to what is not there', sub: 'dangling' },
    { name: 'a folder in a file', sub: 'file/new' },
  ])('refuses $name, and makes nothing there', async ({ sub }) => {
    expect(await subPathOf(volume, sub, kept)).toBeUndefined();
    await expect(stat(join(folder, 'outside', 'new'))).rejects.toThrow('ENOENT');
    await expect(stat(join(folder, 'nowhere'))).rejects.toThrow('ENOENT');
  });

  it.each(['a', 'deep/b'])(
    'shows %s of an object as it was when the container was made',
    async (sub) => {
      const dir = join(folder, 'configmap');
      await writeAtomically(dir, payload('one'), NOW);
      const path = (await subPathOf(dir, sub, kept)) ?? '';
      await writeAtomically(dir, payload('two'), NOW);
      expect(await readFile(path, 'utf8')).toBe('one');
    },
  );

  it.each([
    { name: 'a name as that of a version', sub: '..2026_11_22_09_30_05.x/f', data: undefined },
    {
      name: 'a version that is not the current one',
      sub: '..2026_11_22_09_30_05.x/f',
      data: 'deep',
    },
  ])('follows changes behind $name in a volume that is no object', async ({ sub, data }) => {
    await mkdir(join(volume, '..2026_11_22_09_30_05.x'), { recursive: true });
    await mkdir(join(volume, 'deep'), { recursive: true });
    if (data !== undefined) await symlink(data, join(volume, '..data'));
    const file = join(volume, sub);
    await writeFile(file, 'one');
    expect(await subPathOf(volume, sub, kept)).toBe(await realpath(file));
  });

  it('shows a folder of an object as it was, and the next container the new one', async () => {
    const dir = join(folder, 'configmap');
    await writeAtomically(dir, payload('one'), NOW);
    const path = (await subPathOf(dir, 'deep', kept)) ?? '';
    await writeAtomically(dir, payload('two'), NOW);
    expect(await readFile(join(path, 'b'), 'utf8')).toBe('one');
    const next = (await subPathOf(dir, 'deep', kept)) ?? '';
    expect(await readFile(join(next, 'b'), 'utf8')).toBe('two');
    expect((await stat(join(next, 'b'))).mode & 0o777).toBe(0o640);
  });
});
