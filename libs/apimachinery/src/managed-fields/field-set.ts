import { setOwn } from '../schema/normalize.js';
import type { Steps } from '../steps.js';

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

/** A set of fields by their names from the root, `*` for any element: `['spec', 'containers', '*', 'resources']`. */
export function fieldsAt(...paths: readonly (readonly string[])[]): FieldSet {
  return paths.reduce<FieldSet>((all, path) => {
    const one = path.reduceRight<FieldSet>(
      (below, name) => ({
        owned: false,
        children: new Map([[name === '*' ? name : `f:${name}`, below]]),
      }),
      leafField,
    );
    return unionFields(all, one);
  }, emptyFields);
}

export const isEmptySet = (set: FieldSet | undefined): boolean =>
  set === undefined || (!set.owned && set.children.size === 0);

/** A node of these children, which is the caller's to give away. Leaves and empty sets are shared. */
const nodeOf = (owned: boolean, children: Map<string, FieldSet>): FieldSet => {
  if (children.size > 0) return { owned, children };
  return owned ? leafField : emptyFields;
};

/** A node of these children; empty ones are left out. */
export function fieldSet(owned: boolean, children: Iterable<[string, FieldSet]>): FieldSet {
  const kept = new Map<string, FieldSet>();
  for (const [key, child] of children) if (!isEmptySet(child)) kept.set(key, child);
  return nodeOf(owned, kept);
}

/** `set` with each child as `change` makes it; a child that becomes empty goes. */
function changeChildren(
  { children }: FieldSet,
  owned: boolean,
  change: (child: FieldSet, key: string) => FieldSet,
): FieldSet {
  const kept = new Map<string, FieldSet>();
  for (const [key, child] of children) {
    const changed = change(child, key);
    if (!isEmptySet(changed)) kept.set(key, changed);
  }
  return nodeOf(owned, kept);
}

/** Reads a FieldsV1 value; anything that is not one reads as far as it makes sense. */
export function parseFieldsV1(fields: unknown): FieldSet {
  const root = parseNode(fields, 0);
  return { owned: false, children: root.children };
}

function parseNode(fields: unknown, depth: number): FieldSet {
  if (typeof fields !== 'object' || fields === null || depth > 200) return leafField;
  const keys = Object.keys(fields);
  const children = new Map<string, FieldSet>();
  for (const key of keys) {
    if (key.charAt(1) !== ':' || !'fkvi'.includes(key.charAt(0))) continue;
    children.set(key, parseNode((fields as Record<string, unknown>)[key], depth + 1));
  }
  return nodeOf(children.size === 0 || Object.hasOwn(fields, '.'), children);
}

/** Of paths or trees, that is members with all below them. */
export type Taking = 'members' | 'trees';

/**
 * Whether the set of a FieldsV1 value would lose something if `taken` were subtracted from it: asked without making a tree of it,
 * since most writes take nothing from most managers.
 */
export function losesAny(fields: unknown, taken: FieldSet, taking: Taking): boolean {
  if (typeof fields !== 'object' || fields === null) return taken.owned;
  if (taken.owned && (taking === 'trees' || isMember(fields))) return true;
  for (const [key, child] of taken.children)
    if (
      Object.hasOwn(fields, key) &&
      losesAny((fields as Record<string, unknown>)[key], child, taking)
    )
      return true;
  return false;
}

const isMember = (fields: object): boolean =>
  Object.hasOwn(fields, '.') || Object.keys(fields).length === 0;

/** The FieldsV1 value of a set, keys sorted. */
export const formatFieldsV1 = (set: FieldSet): Record<string, unknown> =>
  formatNode({ ...set, owned: false });

/** Children of one node that are written in one go. */
const SLICE = 2000;

/** The same in steps. */
export const formatSteps = (set: FieldSet): Steps<Record<string, unknown>> =>
  formatNodeSteps({ ...set, owned: false });

function* formatNodeSteps(set: FieldSet): Steps<Record<string, unknown>> {
  const result: Record<string, unknown> = {};
  if (set.children.size === 0) return result;
  // Here, and not around what the children come to: to copy very many of them takes as long as to write them.
  if (set.owned) result['.'] = {};
  const names = sortedNames(set);
  const isWide = names.length > SLICE;
  if (isWide) yield;
  let done = 0;
  for (const key of names) {
    const child = set.children.get(key) ?? emptyFields;
    setOwn(result, key, isWide ? formatNode(child) : yield* formatNodeSteps(child));
    done += 1;
    if (done % SLICE === 0) yield;
  }
  return result;
}

function formatNode(set: FieldSet): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  if (set.children.size === 0) return result;
  if (set.owned) result['.'] = {};
  for (const key of sortedNames(set))
    setOwn(result, key, formatNode(set.children.get(key) ?? emptyFields));
  return result;
}

/** Names of the children in order, which they mostly are in already. */
function sortedNames({ children }: FieldSet): string[] {
  const names = [...children.keys()];
  for (let i = 1; i < names.length; i++)
    if ((names[i] as string) < (names[i - 1] as string)) return names.sort();
  return names;
}

export function unionFields(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  const children = new Map(a.children);
  for (const [key, child] of b.children) {
    const mine = children.get(key);
    children.set(key, mine ? unionFields(mine, child) : child);
  }
  return nodeOf(a.owned || b.owned, children);
}

export function intersectFields(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(a)) return a;
  if (isEmptySet(b)) return emptyFields;
  return changeChildren(a, a.owned && b.owned, (child, key) =>
    intersectFields(child, b.children.get(key) ?? emptyFields),
  );
}

/** Members of a that are not members of b. */
export function subtractFields(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a;
  return changeChildren(a, a.owned && !b.owned, (child, key) =>
    subtractFields(child, b.children.get(key) ?? emptyFields),
  );
}

/** Members of a that are neither in b nor below a member of b: what remains when b's paths are gone. */
export function subtractTrees(a: FieldSet, b: FieldSet): FieldSet {
  if (b.owned) return emptyFields;
  if (b.children.size === 0) return a;
  return changeChildren(a, a.owned, (child, key) =>
    subtractTrees(child, b.children.get(key) ?? emptyFields),
  );
}

/** Members of a that are in b or below a member of b; the child `*` of b stands for all that it does not name. */
export function selectTrees(a: FieldSet, b: FieldSet): FieldSet {
  if (b.owned) return a;
  const any = b.children.get('*') ?? emptyFields;
  return changeChildren(a, false, (child, key) => selectTrees(child, b.children.get(key) ?? any));
}

const sortedChildren = (set: FieldSet): [string, FieldSet][] =>
  sortedNames(set).map((key) => [key, set.children.get(key) ?? emptyFields]);

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
