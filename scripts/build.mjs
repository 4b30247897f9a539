// Bundles every entry point into dist/ (one file an app and shared chunks) when a source is newer than the bundle.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import {
  swc,
  noPhoneNumbers,
  httpWithoutFetch,
  noSecondNest,
  usedPartsOnly,
  noValidationPipe,
  noNativeSockets,
  noTelemetry,
  noDateFormatter,
  compiledOnce,
  calledAlone,
} from './bundle-plugins.mjs';
import { dist, root, run, projectNode, runningClusters, say } from './checkout.mjs';
import { EXTERNAL, IN_PROGRAM } from './externals.mjs';

/** What loads module by module. Bundle name -> entry point. */
const ENTRIES = {
  commands: 'apps/cli/src/main.ts',
  'decode-worker': 'apps/apiserver/src/negotiation/decode-worker.ts',
  'container-program': 'apps/container-runtime/src/program-main.ts',
  dataplane: 'apps/dataplane/src/main.ts',
};

/** What is started with the one script that all components are, or with `commands`; the names are upstream's binaries. */
const LAUNCHED = [
  'orrery',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'container-runtime',
  'kube-proxy',
];

/** Optional peers that Nest asks for and this project does not have. */
const ABSENT = [
  '@nestjs/websockets',
  '@nestjs/platform-express',
  '@fastify/static',
  '@fastify/view',
  '@fastify/multipart',
  'amqplib',
  'amqp-connection-manager',
  'kafkajs',
  'mqtt',
  'nats',
  '@nats-io/transport-node',
  'ioredis',
  '@mapbox/node-pre-gyp',
  'class-transformer/storage',
  '@grpc/reflection',
];

function walk(dir, found = []) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) walk(path, found);
    else if (!entry.name.endsWith('spec.ts')) found.push(path);
  }
  return found;
}

const sources = () =>
  ['apps', 'libs', 'scripts']
    .flatMap((dir) => walk(join(root, dir)))
    .concat(join(root, 'package-lock.json'))
    .sort();

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of sources()) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${relative(root, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function copyAssets() {
  mkdirSync(join(dist, 'gen'), { recursive: true });
  for (const file of sources())
    if (/\/src\/gen\/[^/]+\.(json|proto)$/.test(file))
      cpSync(file, join(dist, 'gen', file.split('/').at(-1)));
}

/** What images hold: programs that containers see alone, so each is one file without a dependency. */
async function buildTools() {
  await build({
    absWorkingDir: root,
    entryPoints: { agnhost: 'apps/container-runtime/src/agnhost-main.ts' },
    outdir: join(dist, 'programs'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['development'],
    minifySyntax: true,
    logLevel: 'error',
    plugins: [
      httpWithoutFetch,
      {
        // So that only what is used of a library comes along.
        name: 'no-side-effects',
        setup(plugin) {
          plugin.onResolve({ filter: /.*/ }, async ({ path, resolveDir, kind, pluginData }) => {
            if (pluginData === 'resolved' || kind === 'entry-point') return undefined;
            if (!/^(?:@orrery\/|\.)/.test(path))
              return { path, external: true, sideEffects: false };
            const found = await plugin.resolve(path, { resolveDir, kind, pluginData: 'resolved' });
            return { ...found, sideEffects: false };
          });
        },
      },
    ],
  });
}

const OPTIONS = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  platform: 'node',
  target: 'node20',
  conditions: ['development'],
  sourcemap: 'linked',
  sourcesContent: false,
  // Names kept would cost a call for each closure that is made: half of the work of some requests. Nobody reads them.
  keepNames: false,
  // A tenth of the API server's memory is the text of its programs.
  minifyWhitespace: true,
  logLevel: 'error',
  plugins: [
    swc,
    noTelemetry,
    noNativeSockets,
    noValidationPipe,
    usedPartsOnly,
    noPhoneNumbers,
    httpWithoutFetch,
    noSecondNest,
    noDateFormatter,
    compiledOnce,
  ],
};

/**
 * All components as one script, a function that is called with what a module of Node has. V8 keeps compiled code of a script
 * after it has run, of a module only before: see apps/cli/src/launch. Returns the text's hash.
 */
async function buildProgram() {
  await build({
    ...OPTIONS,
    entryPoints: { program: 'apps/cli/src/launch/components.ts' },
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    external: [...EXTERNAL.filter((name) => !IN_PROGRAM.includes(name)), ...ABSENT],
    define: { 'import.meta.url': 'orreryUrl' },
    legalComments: 'external',
    banner: { js: '(function (exports, require, module, orreryUrl) {' },
    footer: { js: '})' },
  });
  const text = readFileSync(join(dist, 'program.cjs'), 'utf8');
  const [strange] = /.{0,40}[\u0080-\uffff].{0,40}/.exec(text) ?? [];
  if (strange !== undefined) throw new Error(`program.cjs must be ASCII alone: ${strange}`);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

async function buildLaunchers(hash) {
  await build({
    ...OPTIONS,
    plugins: [calledAlone, ...OPTIONS.plugins],
    entryPoints: { launch: 'apps/cli/src/launch/launch.ts' },
    format: 'esm',
    external: ['./commands.js'],
    define: { ORRERY_PROGRAM_HASH: JSON.stringify(hash) },
  });
  for (const name of LAUNCHED)
    writeFileSync(
      join(dist, `${name}.js`),
      `import { launch } from './launch.js';\n\nawait launch('${name}');\n`,
    );
}

const RUNNERS = /\/apps\/cli\/src\/(?:apps|commands\/node|test-server\/test-cluster)\.ts$/;
/** Who runs a component is given the program; what loads module by module need not hold it. */
const programAlone = {
  name: 'program-alone',
  setup(plugin) {
    const components = LAUNCHED.filter((name) => name !== 'orrery').map((name) =>
      name.replace(/^kube-(?!proxy)/, ''),
    );
    const filter = new RegExp(`^@orrery/(?:${components.join('|')})$`);
    plugin.onResolve({ filter }, ({ path, kind, importer }) =>
      kind === 'dynamic-import' && RUNNERS.test(importer)
        ? { path, namespace: 'launched' }
        : undefined,
    );
    plugin.onLoad({ filter: /.*/, namespace: 'launched' }, ({ path }) => ({
      contents: `throw new Error('${path} is part of the program that launch.js runs');`,
    }));
  },
};

const buildModules = () =>
  build({
    ...OPTIONS,
    plugins: [programAlone, ...OPTIONS.plugins],
    entryPoints: ENTRIES,
    splitting: true,
    format: 'esm',
    external: [...EXTERNAL, ...ABSENT],
    banner: {
      js: "import 'reflect-metadata'; import { createRequire as orreryRequire } from 'node:module'; const require = orreryRequire(import.meta.url);",
    },
  });

async function main() {
  const stamp = join(dist, '.fingerprint');
  const now = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  say('orrery: building …');
  const started = performance.now();
  const running = runningClusters();
  // What a running cluster may still load stays: chunks have their content's hash in their name.
  if (running.length === 0) rmSync(dist, { recursive: true, force: true });
  else {
    say(
      `orrery: ${running.join(' and ')} goes on with the old build, but for processes that start anew`,
    );
    rmSync(stamp, { force: true });
  }
  const [hash] = await Promise.all([buildProgram(), buildModules(), buildTools()]);
  await buildLaunchers(hash);
  copyAssets();
  writeFileSync(join(dist, 'package.json'), '{ "type": "module" }\n');
  const descriptions = join(root, 'apps/apiserver/tools/descriptions.mjs');
  if (existsSync(descriptions)) run(projectNode(), [descriptions, join(dist, 'gen')]);
  writeFileSync(stamp, now);
  say(`orrery: built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

await main();
