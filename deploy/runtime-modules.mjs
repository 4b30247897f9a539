// Copies the packages that the bundles load at run time, and what those need, from node_modules into a folder.
//   node deploy/runtime-modules.mjs TARGET
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXTERNAL } from '../scripts/externals.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = process.argv[2];
if (!target) throw new Error('usage: runtime-modules.mjs TARGET');

/** Where Node finds `name` for a package in `from`; undefined for an optional one that is not installed. */
function locate(name, from) {
  for (let dir = from; ; dir = dirname(dir)) {
    const path = join(dir, 'node_modules', name);
    if (existsSync(join(path, 'package.json'))) return path;
    if (dir === root) return undefined;
  }
}

const found = new Set();
function collect(name, from, isOptional) {
  const path = locate(name, from);
  if (path === undefined && !isOptional) throw new Error(`${name} is not installed; run npm ci`);
  if (path === undefined || found.has(path)) return;
  found.add(path);
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(path, 'package.json'), 'utf8'),
  );
  for (const other of Object.keys(optionalDependencies ?? {})) collect(other, path, true);
  for (const other of Object.keys(dependencies ?? {})) collect(other, path, false);
}

for (const name of EXTERNAL) collect(name, root, false);
/** Declarations, maps and texts for people who write programs, and bundles for browsers. */
const UNREAD = /(\.(ts|mts|cts|map|md|markdown)|\/protobufjs\/dist\/.*)$/;

const read = [...found].filter((path) => !path.startsWith(join(root, 'node_modules', '@types')));
for (const path of read)
  cpSync(path, join(target, relative(root, path)), {
    recursive: true,
    filter: (file) => relative(path, file).split('/')[0] !== 'node_modules' && !UNREAD.test(file),
  });
process.stderr.write(`${read.length} packages copied to ${target}\n`);
