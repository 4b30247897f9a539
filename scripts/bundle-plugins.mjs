// What esbuild is told beyond its options: how sources are compiled, and what of the libraries' code stays out of a start.
import { transform } from '@swc/core';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './checkout.mjs';

/** A text of ASCII alone takes half of the memory; esbuild does it to strings, not to regular expressions. */
const inAscii = (code) =>
  code.replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** esbuild emits no decorator metadata; swc does. */
export const swc = {
  name: 'swc',
  setup(plugin) {
    plugin.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), {
        filename: path,
        configFile: join(root, '.swcrc'),
        sourceMaps: 'inline',
      });
      return { contents: inAscii(code), loader: 'js' };
    });
  },
};

export const noPhoneNumbers = {
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
export const httpWithoutFetch = {
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
export const noSecondNest = {
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
export const usedPartsOnly = {
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
export const noValidationPipe = {
  name: 'no-validation-pipe',
  setup(plugin) {
    plugin.onResolve({ filter: /^class-(?:validator|transformer)$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: 'empty', namespace: 'empty' } : undefined,
    );
  },
};

/** ws asks for these at each start, though Node does what they did; beside a checkout or a test there may be one of any version. */
export const noNativeSockets = {
  name: 'no-native-sockets',
  setup(plugin) {
    plugin.onResolve({ filter: /^(?:bufferutil|utf-8-validate)$/ }, ({ path }) => ({
      path,
      namespace: 'without',
    }));
    plugin.onLoad({ filter: /.*/, namespace: 'without' }, ({ path }) => ({
      contents: `throw new Error('${path} is not used');`,
    }));
  },
};

/** prom-client would name the span of OpenTelemetry beside its CPU metrics; nothing here traces. 51 modules at each start. */
export const noTelemetry = {
  name: 'no-telemetry',
  setup(plugin) {
    plugin.onResolve({ filter: /^@opentelemetry\/api$/ }, () => ({
      path: join(root, 'scripts', 'no-telemetry.mjs'),
    }));
  },
};

/**
 * Nest's logger, which writes nothing here, makes a formatter of dates when its module is loaded: V8 reads its tables of all languages
 * for that, 40 ms at each start of a process that has Nest.
 */
export const noDateFormatter = {
  name: 'no-date-formatter',
  setup(plugin) {
    plugin.onLoad(
      { filter: /\/@nestjs\/common\/services\/(?:console-)?logger\.service\.js$/ },
      async ({ path }) => {
        const text = await readFile(path, 'utf8');
        const made = /= (new Intl\.DateTimeFormat\([^)]*\));/;
        if (!made.test(text)) throw new Error(`${path} makes no formatter of dates any more`);
        return {
          contents: text.replace(made, '= { format: (date) => ($1).format(date) };'),
          loader: 'js',
        };
      },
    );
  },
};

/** find-my-way compiles two functions for each method of each route, the same few again and again: 370 at a start with a node. */
export const compiledOnce = {
  name: 'compiled-once',
  setup(plugin) {
    plugin.onLoad(
      { filter: /\/find-my-way\/lib\/(?:handler-storage|node)\.js$/ },
      async ({ path }) => ({
        contents: `
const compiled = new Map();
function compileOnce(...texts) {
  const key = texts.join('\\0');
  if (!compiled.has(key)) compiled.set(key, new Function(...texts));
  return compiled.get(key);
}
${(await readFile(path, 'utf8')).replaceAll('new Function(', 'compileOnce(')}`,
        loader: 'js',
      }),
    );
  },
};

/** The launcher holds what it calls, not the libraries that have it: it is read before anything happens. */
export const calledAlone = {
  name: 'called-alone',
  setup(plugin) {
    plugin.onResolve({ filter: /./ }, async ({ path, kind, pluginData, ...from }) => {
      if (pluginData === 'resolved' || kind !== 'import-statement') return undefined;
      const found = await plugin.resolve(path, { ...from, kind, pluginData: 'resolved' });
      return { ...found, sideEffects: false };
    });
  },
};
