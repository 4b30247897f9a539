import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CodeCache } from './code-cache.js';

const TEXT = `(function () { return ${JSON.stringify('x'.repeat(1000))}.length })`;

let folder: string;
let build: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'code-cache-'));
  build = join(folder, 'compiled', 'abc');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const files = (): string[] => readdirSync(join(folder, 'compiled'));

/** One start of the script, whose code is kept; `bytes` = what V8 has compiled when its start is over. */
function start(role: string, bytes = 100): Script {
  const cache = new CodeCache(build, role, 'up', () => bytes);
  const data = cache.read();
  const script = new Script(TEXT, { filename: 'file:///x.cjs', ...(data && { cachedData: data }) });
  (script.runInThisContext() as () => number)();
  cache.keep(script);
  return script;
}

describe('CodeCache', () => {
  it('gives the next start of a role what the last one has compiled', () => {
    expect(start('kubelet').cachedDataRejected).toBeUndefined();
    expect(start('kubelet').cachedDataRejected).toBe(false);
    expect(files()).toEqual([expect.stringMatching(/^abc-kubelet-[0-9a-f]+-\w+\.bin$/)]);
  });

  it('gives a role without code that of the other, and keeps its own', () => {
    start('up');
    expect(start('kubelet').cachedDataRejected).toBe(false);
    expect(files()).toHaveLength(2);
  });

  it('takes no file that is damaged, and writes it anew', () => {
    start('up');
    const [name = ''] = files();
    const file = join(folder, 'compiled', name);
    const whole = readFileSync(file);
    for (const damaged of [whole.subarray(0, 3), whole.subarray(0, -1), Buffer.alloc(0)]) {
      writeFileSync(file, damaged);
      expect(start('up').cachedDataRejected).toBeUndefined();
      expect(readFileSync(file)).toHaveLength(whole.length);
    }
  });

  it.each([
    { name: 'when a start compiled little more', later: 149, isWritten: false },
    { name: 'when a start compiled half as much again', later: 150, isWritten: true },
  ])('is written again only $name: $isWritten', ({ later, isWritten }) => {
    start('up');
    const [name = ''] = files();
    const written = (): number => statSync(join(folder, 'compiled', name)).ino;
    const before = written();
    start('up', later);
    expect(written() !== before).toBe(isWritten);
  });

  it('does without where nothing may be written', () => {
    writeFileSync(join(folder, 'compiled'), 'not a folder');
    expect(start('up').cachedDataRejected).toBeUndefined();
    expect(start('up').cachedDataRejected).toBeUndefined();
  });
});
