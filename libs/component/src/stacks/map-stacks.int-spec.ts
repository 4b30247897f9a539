import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const SOURCE = `
import { mapStacks } from ${JSON.stringify(join(here, 'map-stacks.ts'))};
mapStacks();
async function deep(): Promise<never> {
  await Promise.resolve();
  throw Object.assign(new TypeError('no'), { code: 'ERR_OURS' });
}
await deep().catch((error: Error) => process.stdout.write(error.stack ?? ''));
`;

describe('mapStacks', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-stacks-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    { name: 'names the sources where the map is', map: '.map', frame: /deep \(.*main\.ts:6:/ },
    { name: 'and where it is compressed', map: '.map.gz', frame: /deep \(.*main\.ts:6:/ },
    { name: 'leaves frames alone where none is', map: '', frame: /deep \(file:.*main\.mjs:/ },
  ])('$name', async ({ map, frame }) => {
    const [source, bundle] = [join(folder, 'main.ts'), join(folder, 'main.mjs')];
    writeFileSync(source, SOURCE);
    await build({
      entryPoints: [source],
      outfile: bundle,
      bundle: true,
      format: 'esm',
      platform: 'node',
      minifyWhitespace: true,
      sourcemap: 'linked',
    });
    const plain = `${bundle}.map`;
    if (map === '.map.gz') writeFileSync(`${bundle}.map.gz`, gzipSync(readFileSync(plain)));
    else rmSync(`${bundle}.map.gz`, { force: true });
    if (map !== '.map') rmSync(plain);
    const stack = execFileSync(process.execPath, [bundle], { encoding: 'utf8' });
    expect(stack.split('\n')[0]).toBe('TypeError [ERR_OURS]: no');
    expect(stack).toMatch(frame);
  });
});
