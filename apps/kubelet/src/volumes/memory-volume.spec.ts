import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Volume } from '@orrery/api';
import { podOf } from '../../test/builders.js';
import { makeInMemory, memoryDir, memorySize, removeFromMemory } from './memory-volume.js';

const MI = 1024 * 1024;
const volume = (sizeLimit?: string): Volume => ({
  name: 'v',
  emptyDir: { medium: 'Memory', ...(sizeLimit === undefined ? {} : { sizeLimit }) },
});
const limited = (memory: string) => ({ resources: { limits: { memory } } });

describe('memorySize()', () => {
  it.each([
    { name: 'what the volume says', pod: podOf('p'), own: '5Mi', want: 5 * MI },
    {
      name: 'what the pod may use',
      pod: podOf('p', {}, limited('8Mi')),
      own: undefined,
      want: 8 * MI,
    },
    { name: 'the smaller of both', pod: podOf('p', {}, limited('4Mi')), own: '5Mi', want: 4 * MI },
    { name: 'open without either', pod: podOf('p'), own: undefined, want: 0 },
    {
      name: 'open with a container that has no limit',
      pod: podOf('p', { containers: [{ name: 'c', ...limited('4Mi') }, { name: 'd' }] }),
      own: undefined,
      want: 0,
    },
  ])('is $name', ({ pod, own, want }) => {
    expect(memorySize(pod, volume(own))).toBe(want);
  });
});

/** Whether file systems can be mounted here, as the kernel says by the size of what was made. */
const sizeOf = async (path: string): Promise<number> => {
  const { bsize, blocks } = await statfs(path);
  return bsize * blocks;
};

describe('makeInMemory()', () => {
  it('keeps the size where it may mount, and leaves nothing behind', async () => {
    const root = await mkdtemp(join(tmpdir(), 'memory-'));
    const memory = memoryDir(root, 'uid');
    const dir = join(root, 'volumes', 'v');
    await makeInMemory(dir, join(memory, 'v'), 2 * MI);
    await makeInMemory(dir, join(memory, 'v'), 2 * MI);
    await writeFile(join(dir, 'small'), 'text');
    expect(await readFile(join(memory, 'v', 'small'), 'utf8')).toBe('text');
    const outcome = await writeFile(join(dir, 'big'), Buffer.alloc(3 * MI)).then(
      () => 'written',
      (error: NodeJS.ErrnoException) => error.code,
    );
    const isMounted = (await sizeOf(dir)) === 2 * MI;
    expect(outcome).toBe(isMounted ? 'ENOSPC' : 'written');
    await removeFromMemory(memory);
    expect(existsSync(memory)).toBe(false);
    // The machine was started anew: the link leads nowhere, and the volume is made again.
    await makeInMemory(dir, join(memory, 'v'), 0);
    await writeFile(join(dir, 'again'), '');
    await removeFromMemory(memory);
    await rm(root, { recursive: true });
  });
});
