import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaseBlock } from './block-lease.js';
import type { BlockLease } from './block-lease.js';

const held: BlockLease[] = [];
const dirs: string[] = [];

afterEach(async () => {
  for (const lease of held.splice(0)) await lease.release();
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

const newDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'orrery-block-'));
  dirs.push(dir);
  return dir;
};

const lease = async (
  dir: string,
  wanted: Parameters<typeof leaseBlock>[1] = {},
): Promise<number> => {
  const got = await leaseBlock(dir, wanted);
  held.push(got);
  return got.block;
};

describe('leaseBlock()', () => {
  it('gives two clusters two blocks', async () => {
    expect(await lease(newDir())).not.toBe(await lease(newDir()));
  });

  it('gives a cluster the block that it had', async () => {
    const dir = newDir();
    const block = await lease(dir);
    await held.pop()?.release();
    await lease(newDir());
    expect(await lease(dir, { before: block })).toBe(block);
  });

  it('refuses a block that is in use, naming its owner', async () => {
    const dir = newDir();
    const block = await lease(dir);
    await expect(leaseBlock(newDir(), { asked: block })).rejects.toThrow(
      new RegExp(`127\\.${block}\\.0\\.0/16 is in use by another cluster \\(${dir}\\)`),
    );
  });

  it('refuses to move a cluster that has addresses', async () => {
    await expect(leaseBlock(newDir(), { before: 40, asked: 41 })).rejects.toThrow(/--fresh/);
  });
});
