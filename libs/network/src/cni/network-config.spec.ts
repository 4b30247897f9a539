import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findNetworkConfig, parseNetworkConfig } from './network-config.js';

describe('parseNetworkConfig()', () => {
  it('takes one plugin for a list of one', () => {
    const text = '{"cniVersion":"0.4.0","name":"n","type":"bridge"}';
    expect(parseNetworkConfig(text)).toMatchObject({ name: 'n', plugins: [{ type: 'bridge' }] });
  });

  it.each([
    { text: '[]', want: 'is not a JSON object' },
    {
      text: '{"cniVersion":"1.0.0","name":"../n","plugins":[{"type":"x"}]}',
      want: 'invalid network name',
    },
    {
      text: '{"cniVersion":"2.0.0","name":"n","plugins":[{"type":"x"}]}',
      want: 'cniVersion "2.0.0"',
    },
    { text: '{"name":"n","type":"x"}', want: 'cniVersion "0.2.0"' },
    { text: '{"cniVersion":"1.0.0","name":"n","plugins":[]}', want: 'no plugins in list' },
    { text: '{"cniVersion":"1.0.0","name":"n","plugins":[{}]}', want: 'a plugin has no type' },
  ])('refuses $text', ({ text, want }) => {
    expect(() => parseNetworkConfig(text)).toThrow(want);
  });
});

describe('findNetworkConfig()', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cni-conf-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('finds nothing in a folder that is not there', () => {
    expect(findNetworkConfig(join(folder, 'none'))).toEqual({ problems: [] });
  });

  it('takes the first usable file by name and tells what was wrong with those before', () => {
    writeFileSync(join(folder, '00-readme.txt'), 'x');
    writeFileSync(join(folder, '05-broken.conflist'), '{');
    writeFileSync(join(folder, '20-late.conf'), '{"cniVersion":"1.0.0","name":"late","type":"x"}');
    writeFileSync(
      join(folder, '10-first.conf'),
      '{"cniVersion":"1.0.0","name":"first","type":"x"}',
    );
    const found = findNetworkConfig(folder);
    expect(found.config?.name).toBe('first');
    expect(found.problems).toEqual([expect.stringContaining('05-broken.conflist: ')]);
  });
});
