// Reads the descriptions of all types and fields from the JSDoc of @kubernetes/client-node's models and writes
// descriptions.json into the folder given: what `kubectl explain` prints. Nothing of it is kept in the tree.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const require = createRequire(join(root, 'package.json'));
const definitions = JSON.parse(readFileSync(join(root, 'libs/api/src/gen/schemas.json'), 'utf8'));
const models = join(dirname(require.resolve('@kubernetes/client-node')), 'gen/models');

const COMMENT = String.raw`/\*\*\n((?:\s*\*[^\n]*\n)*?)\s*\*/\n`;
const textOf = (comment) =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
    .replace(/\\(['"])/g, '$1');

function read(file) {
  const text = readFileSync(join(models, file), 'utf8');
  const found = {};
  const type = new RegExp(`${COMMENT}export declare class`).exec(text);
  if (type) found[''] = textOf(type[1]);
  for (const [, comment, field] of text.matchAll(new RegExp(`${COMMENT}\\s*'([^']+)'\\??:`, 'g')))
    found[field] = textOf(comment);
  return found;
}

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
const files = new Map(
  readdirSync(models)
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => [name.slice(0, -5), name]),
);

const descriptions = {};
for (const name of Object.keys(definitions)) {
  const [kind, version, group] = name.split('.').reverse();
  const candidates = [`${capital(group)}${capital(version)}${kind}`, `${capital(version)}${kind}`];
  const file = candidates.map((candidate) => files.get(candidate)).find(Boolean);
  if (!file) continue;
  const renamed = read(file);
  const known = { '': renamed[''] ?? '' };
  for (const field of Object.keys(definitions[name].properties ?? {})) {
    // client-node renames fields that are words of the language or start with a sign.
    const text = renamed[field] ?? renamed[`_${field}`] ?? renamed[field.replace('$', '$')];
    if (text) known[field] = text;
  }
  descriptions[name] = known;
}

writeFileSync(join(process.argv[2] ?? '.', 'descriptions.json'), JSON.stringify(descriptions));
