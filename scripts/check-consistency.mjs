// npm run check:consistency: bundles test/consistency (its sources are TypeScript) and runs it on the built API server.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { childEnv, dist, projectNode, root } from './checkout.mjs';
import { EXTERNAL } from './externals.mjs';

const outdir = join(root, '.cache', 'check-consistency');

await build({
  absWorkingDir: root,
  entryPoints: { main: 'test/consistency/main.ts' },
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  conditions: ['development'],
  external: [...EXTERNAL, '@jest/globals', '@nestjs/*'],
  sourcemap: 'linked',
  logLevel: 'error',
  tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  banner: {
    js: "import { createRequire as orreryRequire } from 'node:module'; const require = orreryRequire(import.meta.url);",
  },
});
const child = spawn(
  projectNode(),
  ['--enable-source-maps', join(outdir, 'main.js'), ...process.argv.slice(2)],
  { stdio: 'inherit', env: childEnv({ ORRERY_ROOT: root, ORRERY_DIST: dist }) },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
