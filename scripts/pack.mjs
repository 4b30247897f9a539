// Makes the npm packages: `node scripts/pack.mjs [FOLDER]` leaves a tarball of each in FOLDER (default dist-packages/).
import { build } from 'esbuild';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dist, fail, root, run, say } from './checkout.mjs';
import { EXTERNAL } from './externals.mjs';

const target = resolve(process.argv[2] ?? join(root, 'dist-packages'));
const staging = join(root, '.cache', 'packages');
const { version, license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

function must(command, args) {
  const code = run(command, args);
  if (code !== 0) fail(`${command} ${args.join(' ')} ended with ${code}`);
}

const REQUIRE =
  "import { createRequire as orreryRequire } from 'node:module'; const require = orreryRequire(import.meta.url);";

const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

/** The versions that were tested, not ranges of them. */
const installed = (name) => lock.packages[`node_modules/${name}`].version;

/** Executables that kubectl finds as plugins, and the command of ours that each is; `explain` and `diff` are kubectl's own. */
const PLUGINS = {
  'kubectl-orrery': [],
  'kubectl-history': ['history'],
  'kubectl-why': ['explain'],
  'kubectl-changes': ['diff'],
  'kubectl-writes': ['log'],
};

/** The program, whose compiled code Node keeps beside it, where it may write there. */
const program = (prelude) => `#!/usr/bin/env node
import * as modules from 'node:module';
import { fileURLToPath } from 'node:url';
${prelude}modules.enableCompileCache?.(fileURLToPath(new URL('../dist/.compile-cache', import.meta.url)));
await import('../dist/orrery.js');
`;

function packOrrery() {
  const dir = join(staging, 'orrery');
  mkdirSync(join(dir, 'bin'), { recursive: true });
  cpSync(dist, join(dir, 'dist'), {
    recursive: true,
    filter: (path) => !/\.map$|\.compile-cache|\.fingerprint/.test(path),
  });
  for (const file of ['LICENSE', 'README.md']) cpSync(join(root, file), join(dir, file));
  writeFileSync(join(dir, 'bin', 'orrery.js'), program(''));
  for (const [name, command] of Object.entries(PLUGINS))
    writeFileSync(
      join(dir, 'bin', `${name}.js`),
      program(`process.argv.splice(2, 0, ...${JSON.stringify(command)});\n`),
    );
  const optional = ['@lydell/node-pty'];
  const dependencies = EXTERNAL.filter((name) => !optional.includes(name));
  const versions = (names) => Object.fromEntries(names.map((name) => [name, installed(name)]));
  writeJson(join(dir, 'package.json'), {
    name: 'orrery',
    version,
    description: 'A working model of a Kubernetes cluster on a real etcd cluster',
    license,
    type: 'module',
    engines,
    bin: Object.fromEntries(
      ['orrery', ...Object.keys(PLUGINS)].map((name) => [name, `bin/${name}.js`]),
    ),
    exports: { './package.json': './package.json' },
    files: ['bin', 'dist'],
    dependencies: versions(dependencies),
    optionalDependencies: versions(optional),
  });
  return dir;
}

/** A library of `packages/`: each module system gets files of its own, so that types and code agree for both. */
async function packLibrary(name, entries, external = []) {
  const source = join(root, 'packages', name);
  const dir = join(staging, name);
  for (const [format, file] of [
    ['esm', 'import.meta.url'],
    ['cjs', '__filename'],
  ]) {
    const outdir = join(dir, 'dist', format);
    await build({
      entryPoints: entries.map((entry) => join(source, 'src', `${entry}.ts`)),
      outdir,
      bundle: true,
      splitting: format === 'esm',
      format,
      platform: 'node',
      target: 'node20',
      external,
      define: { ORRERY_TESTING_FILE: file },
      // A library inside that is CommonJS asks for modules of Node by require.
      ...(format === 'esm' ? { banner: { js: REQUIRE } } : {}),
      logLevel: 'error',
    });
    must(process.execPath, [
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      join(source, 'tsconfig.pack.json'),
      '--outDir',
      outdir,
    ]);
    writeJson(join(outdir, 'package.json'), { type: format === 'esm' ? 'module' : 'commonjs' });
  }
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const ours = Object.keys(manifest.dependencies).map((dependency) => [dependency, version]);
  writeJson(join(dir, 'package.json'), {
    ...manifest,
    version,
    dependencies: Object.fromEntries(ours),
  });
  cpSync(join(source, 'README.md'), join(dir, 'README.md'));
  cpSync(join(root, 'LICENSE'), join(dir, 'LICENSE'));
  return dir;
}

async function packTesting() {
  const dir = await packLibrary('testing', ['index', 'jest']);
  cpSync(join(root, 'packages', 'testing', 'vitest'), join(dir, 'dist', 'vitest'), {
    recursive: true,
  });
  return dir;
}

rmSync(staging, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
must(process.execPath, [join(root, 'scripts', 'build.mjs')]);
const packed = [packOrrery(), await packTesting()];
// Its types name those of the library before.
packed.push(await packLibrary('testcontainers', ['index'], ['@orrery/testing', 'testcontainers']));
for (const dir of packed) must('npm', ['pack', '--silent', '--pack-destination', target, dir]);
say(
  `orrery: packed ${readdirSync(target)
    .filter((name) => name.endsWith('.tgz'))
    .join(', ')}`,
);
