// Reads the descriptions of all types and fields from the JSDoc of @kubernetes/client-node's models and writes
// descriptions.json into the folder given: what `kubectl explain` prints. Nothing of it is kept in the tree.
// These models leave out what is said of fields that are objects of another type: kubernetes-types (1.30) has that, and
// more-descriptions.json, in words of our own, what is newer (by the end of the type's name; * = of every type).
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
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

const types = dirname(require.resolve('kubernetes-types/package.json'));
const BLOCK = String.raw`/\*\*((?:(?!\*/)[^])*)\*/\s*`;

const plainText = (comment) =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim();

/** The fields of each interface of one file of kubernetes-types. */
function readInterfaces(file) {
  const found = new Map();
  if (!existsSync(file)) return found;
  for (const [, name, body] of readFileSync(file, 'utf8').matchAll(
    /export interface (\w+) \{\n([^]*?)\n\}/g,
  )) {
    const fields = body.matchAll(new RegExp(`${BLOCK}"?([$\\w-]+)"?\\??:`, 'g'));
    found.set(
      name,
      Object.fromEntries([...fields].map(([, text, field]) => [field, plainText(text)])),
    );
  }
  return found;
}

const interfaces = new Map();
function interfaceOf(group, version, kind) {
  const file = join(types, group, `${version}.d.ts`);
  if (!interfaces.has(file)) interfaces.set(file, readInterfaces(file));
  return interfaces.get(file).get(kind) ?? {};
}

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
const files = new Map(
  readdirSync(models)
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => [name.slice(0, -5), name]),
);

const more = JSON.parse(readFileSync(join(import.meta.dirname, 'more-descriptions.json'), 'utf8'));
const ownOf = (name) => Object.entries(more).find(([end]) => name.endsWith(`.${end}`))?.[1] ?? {};

const descriptions = {};
for (const name of Object.keys(definitions)) {
  const [kind, version, group] = name.split('.').reverse();
  const candidates = [`${capital(group)}${capital(version)}${kind}`, `${capital(version)}${kind}`];
  const file = candidates.map((candidate) => files.get(candidate)).find(Boolean);
  const own = ownOf(name);
  if (!file && Object.keys(own).length === 0) continue;
  const renamed = file ? read(file) : {};
  const others = interfaceOf(group, version, kind);
  const known = { '': renamed[''] || own[''] || '' };
  for (const field of Object.keys(definitions[name].properties ?? {})) {
    // client-node renames fields that are words of the language or start with a sign.
    const written = renamed[field] ?? renamed[`_${field}`] ?? renamed[field.replaceAll('-', '_')];
    const text = written ?? others[field] ?? own[field] ?? more['*'][field];
    if (text) known[field] = text;
  }
  descriptions[name] = known;
}

// Both packages may lay out their files otherwise one day.
for (const field of ['image', 'resources'])
  if (!descriptions['io.k8s.api.core.v1.Container']?.[field])
    throw new Error(`no description is found of a container's ${field}`);

writeFileSync(join(process.argv[2] ?? '.', 'descriptions.json'), JSON.stringify(descriptions));
