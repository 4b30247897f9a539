import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileKeySelector } from '@orrery/api';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fileValue, parseEnvFile } from './env-file.js';

describe(parseEnvFile.name, () => {
  it.each([
    { name: 'a value', text: "A='one'", want: 'one' },
    { name: 'a value among others', text: "# note\n\n B='x'\n  A='one' # why\nC='y'", want: 'one' },
    { name: 'quotes and signs as they are', text: `A='"$B" \\n ='`, want: '"$B" \\n =' },
    { name: 'several lines', text: "A='one\n# two\nthree'\n", want: 'one\n# two\nthree' },
    { name: 'the first of two', text: "A='one'\nA='two'", want: 'one' },
    { name: 'nothing after a space', text: "A= 'one'", want: '' },
    { name: 'an empty value', text: "A=''", want: '' },
    { name: 'no such key', text: "B='one'", want: '' },
  ])('reads $name', ({ text, want }) => {
    expect(parseEnvFile(text, 'A')).toBe(want);
  });

  it.each([
    { text: 'nonsense', want: "line 1: missing '='" },
    { text: "='x'", want: 'line 1: empty variable name' },
    { text: "\nB ='x'", want: "line 2: whitespace before '=' is not allowed" },
    { text: 'B=x', want: 'line 1: value must be enclosed in single quotes' },
    { text: 'B="x"', want: 'line 1: value must be enclosed in single quotes' },
    { text: "B='x' y", want: 'line 1: unexpected content after closing quote' },
    { text: "\nB='x\ny", want: 'starting at line 2: unclosed single quote' },
  ])('refuses $text', ({ text, want }) => {
    expect(() => parseEnvFile(text, 'A')).toThrow(want);
  });
});

describe(fileValue.name, () => {
  let folder = '';
  const keyOf = (extra: Partial<FileKeySelector>): FileKeySelector => ({
    volumeName: 'v',
    path: 'env',
    key: 'A',
    ...extra,
  });
  const read = (extra: Partial<FileKeySelector>) =>
    fileValue(keyOf(extra), new Map([['v', { path: join(folder, 'v'), readOnly: false }]]));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'env-file-'));
    await mkdir(join(folder, 'v'));
    await writeFile(join(folder, 'v', 'env'), "A='one'\n");
    await writeFile(join(folder, 'outside'), "A='secret'\n");
    await symlink(join(folder, 'outside'), join(folder, 'v', 'out'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('gives what the file says', async () => {
    expect(await read({})).toBe('one');
  });

  it('leaves an optional key out', async () => {
    expect(await read({ key: 'B', optional: true })).toBeUndefined();
  });

  it.each([
    { name: 'a key', extra: { key: 'B' }, want: 'environment variable key "B" not found in file' },
    {
      name: 'a volume',
      extra: { volumeName: 'w' },
      want: 'cannot find the volume "w" referenced by FileKeyRef',
    },
    { name: 'a file', extra: { path: 'none', optional: true }, want: "couldn't parse env file" },
    { name: 'a file outside', extra: { path: 'out' }, want: "couldn't parse env file" },
    { name: 'a way out', extra: { path: '../outside' }, want: "couldn't parse env file" },
  ])('refuses $name that is not there', async ({ extra, want }) => {
    await expect(read(extra)).rejects.toThrow(want);
  });
});
