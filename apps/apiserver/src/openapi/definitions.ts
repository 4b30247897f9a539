import type { KindDescriptor } from '@orrery/api';
import { schemaDefinitions } from '@orrery/api';
import { toApiVersion } from '@orrery/apimachinery';
import type { Schema, Steps } from '@orrery/apimachinery';
import { descriptions } from '../assets.js';
import type { ServedResource } from '../rest/resource-catalog.js';
import { customDefinition } from './custom-definition.js';

export type Definition = Record<string, unknown>;

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

let described: Record<string, Definition> | undefined;

/** The generated definitions with their descriptions; made when first asked for. */
function builtIn(): Record<string, Definition> {
  if (described) return described;
  const texts = descriptions();
  described = Object.fromEntries(
    Object.entries(schemaDefinitions()).map(([name, schema]) => [
      name,
      describe(schema, texts[name] ?? {}),
    ]),
  );
  return described;
}

function describe(schema: Schema, texts: Readonly<Record<string, string>>): Definition {
  const copy: Definition = { ...schema };
  if (texts['']) copy['description'] = texts[''];
  const { properties } = schema;
  if (properties) {
    copy['properties'] = Object.fromEntries(
      Object.entries(properties).map(([field, property]) => [
        field,
        texts[field] ? { description: texts[field], ...property } : property,
      ]),
    );
  }
  return copy;
}

/** The List of a kind, where the generated definitions have none. */
function listDefinition(kind: KindDescriptor): Definition {
  return {
    description: `${kind.kind}List is a list of ${kind.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { $ref: `#/definitions/${META}.ListMeta` },
      items: { type: 'array', items: { $ref: `#/definitions/${kind.schema}` } },
    },
    'x-kubernetes-group-version-kind': [
      { group: kind.group, kind: `${kind.kind}List`, version: kind.version },
    ],
  };
}

/** Finds definitions by name among the built-in ones and those that these resources add, which are made when asked for. */
export function definitionsFor(
  resources: readonly ServedResource[],
  v2 = false,
): (name: string) => Definition | undefined {
  const added = new Map<string, () => Definition>();
  for (const resource of resources) {
    const { kind, custom } = resource;
    if (custom) added.set(kind.schema, () => customDefinition(resource, v2));
    if (!(`${kind.schema}List` in builtIn()))
      added.set(`${kind.schema}List`, () => listDefinition(kind));
  }
  return (name) => added.get(name)?.() ?? builtIn()[name];
}

const REF = '#/definitions/';

function collectRefs(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  const entries = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(entries)) {
    const entry = entries[key];
    if (key === '$ref' && typeof entry === 'string') found.add(entry.slice(REF.length));
    else collectRefs(entry, found);
  }
}

/** The definitions named and all that they refer to, by name; in steps, one for each. */
export function* closure(
  names: Iterable<string>,
  find: (name: string) => Definition | undefined,
): Steps<Record<string, Definition>> {
  const found = new Map<string, Definition>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (found.has(name)) continue;
    const definition = find(name);
    if (!definition) continue;
    found.set(name, definition);
    yield;
    const refs = new Set<string>();
    collectRefs(definition, refs);
    queue.push(...refs);
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Kinds whose group version every document of the server has besides its own. */
export const kindName = ({ group, version, kind }: KindDescriptor): string =>
  `${toApiVersion(group, version)}.${kind}`;
