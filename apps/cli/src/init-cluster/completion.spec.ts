import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { readCompletion, removeCompletion, untilCompleted, writeCompletion } from './completion.js';

const clock = new SystemClock();
const LATER = clock.now() + 86_400_000;

describe('untilCompleted()', () => {
  let dir = '';
  const completed = (more: { waitMs?: number; renewalMs?: number } = {}): Promise<string> =>
    untilCompleted({
      clock,
      signal: new AbortController().signal,
      dir,
      of: 'port 6443',
      waitMs: 30_000,
      renewalMs: 30_000,
      ...more,
    }).then(() => 'completed');

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'orrery-completion-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  it('goes on at once where all is there', async () => {
    writeCompletion(dir, { of: 'port 6443', renewAt: LATER });
    expect(await completed({ waitMs: 0 })).toBe('completed');
  });

  it('waits for what is not there yet', async () => {
    const waiting = completed();
    writeCompletion(dir, { of: 'port 6443', renewAt: LATER });
    expect(await waiting).toBe('completed');
  });

  it('does not take what was made for other values, and is still there, for it', async () => {
    writeCompletion(dir, { of: 'port 6444', renewAt: LATER });
    const waiting = completed();
    writeCompletion(dir, { of: 'port 6443', renewAt: LATER });
    expect(await waiting).toBe('completed');
  });

  it('waits for a renewal that is due', async () => {
    writeCompletion(dir, { of: 'port 6443', renewAt: 0 });
    const waiting = completed();
    writeCompletion(dir, { of: 'port 6443', renewAt: LATER });
    expect(await waiting).toBe('completed');
  });

  it('uses what is there where nobody renews it', async () => {
    writeCompletion(dir, { of: 'port 6443', renewAt: 0 });
    expect(await completed({ renewalMs: 0 })).toBe('completed');
  });

  it.each([
    { name: 'nothing is there', there: undefined, instead: '' },
    { name: 'something else is there', there: 'port 6444', instead: ', but for "port 6444"' },
  ])('says in one line when time is over and $name', async ({ there, instead }) => {
    if (there) writeCompletion(dir, { of: there, renewAt: LATER });
    await expect(completed({ waitMs: 0 })).rejects.toMatchObject({
      name: 'ConfigError',
      message: `--after-init ${dir}: init-cluster has made nothing for "port 6443" within 0 s${instead}: see what it says`,
    });
  });

  it('takes neither a broken file nor one of another kind for a completion', async () => {
    for (const text of ['{', '[]', 'null']) {
      writeFileSync(join(dir, 'completion.json'), text);
      expect(await readCompletion(dir)).toBeUndefined();
    }
  });

  it('removes what is not there too', async () => {
    removeCompletion(dir);
    expect(await readCompletion(dir)).toBeUndefined();
  });
});
