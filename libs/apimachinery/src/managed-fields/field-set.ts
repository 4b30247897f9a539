import { setOwn } from '../schema/normalize.js';

/**
 * A set of fields as a tree. Keys are FieldsV1's path elements: `f:name`, `k:{"name":"x"}`, `v:"x"`.
 * `owned` says that the node's own path is a member, apart from what is below it. Immutable.
 */
export interface FieldSet {
  readonly owned: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

export const emptyFields: FieldSet = { owned: false, children: new Map() };
export const leafField: FieldSet = { owned: true, children: new Map() };

export const isEmptySet = (set: FieldSet | undefined): boolean =>
  set === undefined || (!set.owned && set.children.size === 0);

/** A node of these children; empty ones are left out. */
export function fieldSet(owned: boolean, children: Iterable<[string, FieldSet]>): FieldSet {
  const kept = new Map<string, FieldSet>();
  for (const [key, child] of children) if (!isEmptySet(child)) kept.set(key, child);
  return { owned, children: kept };
}

/** Reads a FieldsV1 value; anything that is not one reads as far as it makes sense. */
export function parseFieldsV1(fields: unknown): FieldSet {
  const root = parseNode(fields, 0);
  return { owned: false, children: root.children };
}

function parseNode(fields: unknown, depth: number): FieldSet {
  if (typeof fields !== 'object' || fields === null || depth > 200) return leafField;
  const keys = Object.keys(fields);
  const names = keys.filter((key) => /^[fkvi]:/.test(key));
  const children = names.map((key): [string, FieldSet] => [
    key,
    parseNode((fields as Record<string, unknown>)[key], depth + 1),
  ]);
  return fieldSet(names.length === 0 || keys.includes('.'), children);
}

/** The FieldsV1 value of a set, keys sorted. */
export function formatFieldsV1(set: FieldSet): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, child] of sortedChildren(set)) {
    const below = formatFieldsV1(child);
    const marked = child.owned && child.children.size > 0 ? { '.': {}, ...below } : below;
    setOwn(result, key, marked);
  }
  return result;
}

const keysOf = (a: FieldSet, b: FieldSet): Set<string> =>
  new Set([...a.children.keys(), ...b.children.keys()]);

export function unionFields(a: FieldSet, b: FieldSet): FieldSet {
  const children = [...keysOf(a, b)].map((key): [string, FieldSet] => [
    key,
    unionFields(a.children.get(key) ?? emptyFields, b.children.get(key) ?? emptyFields),
  ]);
  return fieldSet(a.owned || b.owned, children);
}

export function intersectFields(a: FieldSet, b: FieldSet): FieldSet {
  const children = [...a.children].map(([key, child]): [string, FieldSet] => [
    key,
    intersectFields(child, b.children.get(key) ?? emptyFields),
  ]);
  return fieldSet(a.owned && b.owned, children);
}

/** Members of a that are not members of b. */
export function subtractFields(a: FieldSet, b: FieldSet): FieldSet {
  const children = [...a.children].map(([key, child]): [string, FieldSet] => [
    key,
    subtractFields(child, b.children.get(key) ?? emptyFields),
  ]);
  return fieldSet(a.owned && !b.owned, children);
}

/** Members of a that are neither in b nor below a member of b: what remains when b's paths are gone. */
export function subtractTrees(a: FieldSet, b: FieldSet): FieldSet {
  if (b.owned) return emptyFields;
  const children = [...a.children].map(([key, child]): [string, FieldSet] => [
    key,
    subtractTrees(child, b.children.get(key) ?? emptyFields),
  ]);
  return fieldSet(a.owned, children);
}

const sortedChildren = (set: FieldSet): [string, FieldSet][] =>
  [...set.children].sort(([a], [b]) => (a < b ? -1 : 1));

/** The paths of all members, as upstream prints them: `.spec.containers[name="c"].image`; of each node members first. */
export function printPaths(set: FieldSet, prefix = ''): string[] {
  const children = sortedChildren(set).map(
    ([key, child]) => [`${prefix}${printElement(key)}`, child] as const,
  );
  return [
    ...children.filter(([, child]) => child.owned).map(([path]) => path),
    ...children.flatMap(([path, child]) => printPaths(child, path)),
  ];
}

/** `.image`, `[name="c"]`, `[="x"]` of a path element. */
export function printElement(key: string): string {
  const body = key.slice(2);
  if (key.startsWith('f:')) return `.${body}`;
  if (key.startsWith('v:')) return `[=${body}]`;
  if (key.startsWith('i:')) return `[${body}]`;
  try {
    const keys = JSON.parse(body) as Record<string, unknown>;
    const pairs = Object.entries(keys).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    return `[${pairs.join(',')}]`;
  } catch {
    return `[${body}]`;
  }
}
