// npm run fuzz -- --seconds N --seed S [--only NAME]: bundles test/fuzz and tries inputs of all sorts on what reads them.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { cpSync, globSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { childEnv, projectNode, root } from './checkout.mjs';
import { EXTERNAL } from './externals.mjs';

const outdir = join(root, '.cache', 'fuzz');

await build({
  absWorkingDir: root,
  entryPoints: { main: 'test/fuzz/main.ts' },
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  conditions: ['development'],
  external: [...EXTERNAL, 'fast-check', '@nestjs/*'],
  sourcemap: 'linked',
  logLevel: 'error',
  tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  banner: {
    js: "import { createRequire as orreryRequire } from 'node:module'; const require = orreryRequire(import.meta.url);",
  },
});
mkdirSync(join(outdir, 'gen'), { recursive: true });
for (const file of globSync(join(root, '{apps,libs}/*/src/gen/*.json')))
  cpSync(file, join(outdir, 'gen', basename(file)));
const child = spawn(
  projectNode(),
  ['--enable-source-maps', join(outdir, 'main.js'), ...process.argv.slice(2)],
  { stdio: 'inherit', env: childEnv({}) },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
