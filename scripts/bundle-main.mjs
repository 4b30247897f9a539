// Bundles the sources (TypeScript) of a program of test/ and runs it as a child that ends with this process.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { cpSync, globSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { childEnv, projectNode, root } from './checkout.mjs';
import { EXTERNAL } from './externals.mjs';

/** `name` = the folder in test/ whose main.ts is run; `external` = packages that stay outside of the bundle. */
export async function runBundled(name, { external = [], env = {} } = {}) {
  const outdir = join(root, '.cache', `bundle-${name}`);
  await build({
    absWorkingDir: root,
    entryPoints: { main: `test/${name}/main.ts` },
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['development'],
    external: [...EXTERNAL, ...external, '@nestjs/*'],
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
    { stdio: 'inherit', env: childEnv(env) },
  );
  // A terminal sends its interrupt to the child as well.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}
