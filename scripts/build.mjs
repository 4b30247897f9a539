// Bundles every entry point into dist/ (one file an app and shared chunks) when a source is newer than the bundle.
import { transform } from '@swc/core';
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
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { dist, root, run, projectNode, runningClusters, say } from './checkout.mjs';
import { EXTERNAL } from './externals.mjs';

/** Bundle name -> entry point. The apps' names are upstream's binaries. */
const ENTRIES = {
  orrery: 'apps/cli/src/main.ts',
  'kube-apiserver': 'apps/apiserver/src/main.ts',
  'decode-worker': 'apps/apiserver/src/negotiation/decode-worker.ts',
  'kube-controller-manager': 'apps/controller-manager/src/main.ts',
  'kube-scheduler': 'apps/scheduler/src/main.ts',
  kubelet: 'apps/kubelet/src/main.ts',
  'container-runtime': 'apps/container-runtime/src/main.ts',
  'container-program': 'apps/container-runtime/src/program-main.ts',
  'kube-proxy': 'apps/kube-proxy/src/main.ts',
  dataplane: 'apps/dataplane/src/main.ts',
};

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

/** esbuild emits no decorator metadata; swc does. */
const swc = {
  name: 'swc',
  setup(plugin) {
    plugin.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), {
        filename: path,
        configFile: join(root, '.swcrc'),
        sourceMaps: 'inline',
      });
      return { contents: code, loader: 'js' };
    });
  },
};

const noPhoneNumbers = {
  name: 'no-phone-numbers',
  setup(plugin) {
    const path = join(root, 'scripts', 'no-phone-numbers.mjs');
    plugin.onResolve({ filter: /^libphonenumber-js/ }, () => ({ path }));
  },
};

/**
 * An `import` of node:http reads all of its exports, one of which loads the whole of fetch and WebSocket: 40 ms at each
 * start. What Node hands out by name does not.
 */
const httpWithoutFetch = {
  name: 'http-without-fetch',
  setup(plugin) {
    plugin.onResolve({ filter: /^(?:node:)?http$/ }, ({ kind }) =>
      kind === 'require-call' ? undefined : { path: 'http', namespace: 'builtin' },
    );
    plugin.onLoad({ filter: /.*/, namespace: 'builtin' }, () => ({
      contents: "module.exports = process.getBuiltinModule('node:http');",
      loader: 'js',
    }));
  },
};

/**
 * Nest looks for these at each start. The one is not there; the other is for applications that call microservices, and
 * where there is a node_modules it would bring a second Nest with it: 200 ms for each process with a kubelet or controllers.
 */
const noSecondNest = {
  name: 'no-second-nest',
  setup(plugin) {
    const filter = /^@nestjs\/(?:websockets\/socket|microservices\/microservices)-module\.js$/;
    plugin.onResolve({ filter }, () => ({ path: 'empty', namespace: 'empty' }));
    plugin.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export {};' }));
  },
};

/**
 * Of these packages esbuild takes the CommonJS form for Node, the whole of it; of their modules it takes what is used.
 * 40 ms at each start.
 */
const AS_MODULES = {
  rxjs: 'rxjs/dist/esm/index.js',
  'rxjs/operators': 'rxjs/dist/esm/operators/index.js',
  'class-validator': 'class-validator/esm2015/index.js',
};
const usedPartsOnly = {
  name: 'used-parts-only',
  setup(plugin) {
    const filter = /^(?:rxjs|rxjs\/operators|class-validator)$/;
    plugin.onResolve({ filter }, ({ path }) => ({
      path: join(root, 'node_modules', AS_MODULES[path]),
      sideEffects: false,
    }));
  },
};

/**
 * Nest's ValidationPipe, which nothing here uses, asks for the whole of class-validator: a hundred validators in every process,
 * 30 ms at each start.
 */
const noValidationPipe = {
  name: 'no-validation-pipe',
  setup(plugin) {
    plugin.onResolve({ filter: /^class-(?:validator|transformer)$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: 'empty', namespace: 'empty' } : undefined,
    );
  },
};

/** prom-client would name the span of OpenTelemetry beside its CPU metrics; nothing here traces. 51 modules at each start. */
const noTelemetry = {
  name: 'no-telemetry',
  setup(plugin) {
    plugin.onResolve({ filter: /^@opentelemetry\/api$/ }, () => ({
      path: join(root, 'scripts', 'no-telemetry.mjs'),
    }));
  },
};

function copyAssets() {
  mkdirSync(join(dist, 'gen'), { recursive: true });
  for (const file of sources())
    if (/\/src\/gen\/[^/]+\.(json|proto)$/.test(file))
      cpSync(file, join(dist, 'gen', file.split('/').at(-1)));
}

/** What images hold: programs that containers see alone, so each is one file without a dependency. */
async function buildPrograms() {
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

async function main() {
  const stamp = join(dist, '.fingerprint');
  const now = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  say('orrery: building …');
  const started = performance.now();
  const entryPoints = Object.fromEntries(
    Object.entries(ENTRIES).filter(([, file]) => existsSync(join(root, file))),
  );
  const running = runningClusters();
  // What a running cluster may still load stays: chunks have their content's hash in their name.
  if (running.length === 0) rmSync(dist, { recursive: true, force: true });
  else {
    say(
      `orrery: ${running.join(' and ')} goes on with the old build, but for processes that start anew`,
    );
    rmSync(stamp, { force: true });
  }
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['development'],
    external: [...EXTERNAL, ...ABSENT],
    sourcemap: 'linked',
    sourcesContent: false,
    // Names kept would cost a call for each closure that is made: half of the work of some requests. Nobody reads them.
    keepNames: false,
    // A tenth of the API server's memory is the text of its programs.
    minifyWhitespace: true,
    logLevel: 'error',
    banner: {
      js: "import 'reflect-metadata'; import { createRequire as orreryRequire } from 'node:module'; const require = orreryRequire(import.meta.url);",
    },
    plugins: [
      swc,
      noTelemetry,
      noValidationPipe,
      usedPartsOnly,
      noPhoneNumbers,
      httpWithoutFetch,
      noSecondNest,
    ],
  });
  await buildPrograms();
  copyAssets();
  writeFileSync(join(dist, 'package.json'), '{ "type": "module" }\n');
  const descriptions = join(root, 'apps/apiserver/tools/descriptions.mjs');
  if (existsSync(descriptions)) run(projectNode(), [descriptions, join(dist, 'gen')]);
  writeFileSync(stamp, now);
  say(`orrery: built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

await main();
