import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DecodeError, StatusError, encodeYaml } from '@orrery/apimachinery';
import { YamlThread } from './decode-aside.js';

const rootOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

describe('the thread that decodes YAML', () => {
  const folder = mkdtempSync(join(tmpdir(), 'decode-aside-'));
  let thread: YamlThread;

  beforeAll(async () => {
    const outfile = join(folder, 'decode-worker.mjs');
    await build({
      entryPoints: [rootOf('./decode-worker.ts')],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      conditions: ['development'],
      logLevel: 'error',
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
    });
    thread = new YamlThread(pathToFileURL(outfile));
  }, 60_000);
  afterAll(async () => {
    await thread.close();
    rmSync(folder, { recursive: true });
  });

  const decode = (text: string): Promise<unknown> =>
    thread.decode(Buffer.from(text)).then(({ value }) => value);

  it('answers what decodeYaml would, in whatever number it is asked', async () => {
    const asked = Array.from({ length: 20 }, (_, i) => decode(`a: ${i}\n__proto__: {b: yes}`));
    const answers = await Promise.all(asked);
    expect(answers.map((one) => JSON.stringify(one))).toEqual(
      Array.from({ length: 20 }, (_, i) => `{"a":${i},"__proto__":{"b":true}}`),
    );
  }, 30_000);

  it('writes JSON as YAML', async () => {
    const json = JSON.stringify({ kind: 'List', items: [{ b: 'x: y', a: null }] });
    expect((await thread.encode(Buffer.from(json))).toString()).toBe(encodeYaml(JSON.parse(json)));
    await expect(thread.encode(Buffer.from('{'))).rejects.toThrow('JSON');
  }, 30_000);

  it('refuses as decodeYaml does', async () => {
    const failure = (text: string): Promise<unknown> =>
      decode(text).catch((error: unknown) => error);
    expect(await failure('a: &a 1\nb: *a')).toBeInstanceOf(DecodeError);
    const tooMany = await failure('- '.repeat(200_000));
    expect(tooMany).toBeInstanceOf(StatusError);
    expect((tooMany as StatusError).status).toMatchObject({ code: 413 });
  }, 30_000);

  it('lets nobody wait when it dies, and starts anew', async () => {
    const deadly = join(folder, 'deadly.mjs');
    writeFileSync(deadly, "import 'node:fs';\nprocess.exit(1);\n");
    const dead = new YamlThread(pathToFileURL(deadly));
    await expect(dead.decode(Buffer.from('a: 1'))).rejects.toThrow('has ended');
    await expect(dead.decode(Buffer.from('a: 1'))).rejects.toThrow('has ended');
    const left = decode('a: 1').catch((error: unknown) => error);
    await thread.close();
    expect(await left).toBeDefined();
    expect(await decode('b: 2')).toEqual({ b: 2 });
  }, 30_000);
});
