import fc from 'fast-check';
import {
  applyJsonPatch,
  applyMergePatch,
  applyPatch,
  applyStrategicMergePatch,
  toApiVersion,
  trackUpdate,
  typedProblems,
} from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { kinds, schemaRegistry } from '@orrery/api';
import type { KindContext, KindDescriptor } from '@orrery/api';
import { cloneJson, equalJson } from '@orrery/registry';
import { compile } from '../../libs/cel/src/program.js';
import { standardFunctions } from '../../libs/cel/src/functions/standard.js';
import { celTypes } from '../../libs/cel/src/types/type.js';
import { dynFromJson } from '../../libs/cel/src/values/json-value.js';
import { objectsOf } from '../../libs/api/src/objects-of.fixture.js';
import { must, refusable, soup, target, values } from './target.js';
import type { Target } from './target.js';

const schemas = schemaRegistry();

const CONTEXT: KindContext = {
  now: '2024-01-01T00:00:00Z',
  user: { name: 'fuzz', groups: [] },
  warn: () => undefined,
};

interface Sample {
  readonly kind: KindDescriptor;
  readonly object: KubeObject;
}

const arbitraries = new Map(kinds.map((kind) => [kind, objectsOf(kind)]));
const anyKind = fc.constantFrom(...kinds);
const objects = (kind: KindDescriptor): fc.Arbitrary<KubeObject> =>
  arbitraries.get(kind) ?? objectsOf(kind);
const samples: fc.Arbitrary<Sample> = anyKind.chain((kind) =>
  objects(kind).map((object) => ({ kind, object })),
);

/** Replaces what stands at the end of a path that `steps` choose. */
function damaged(value: unknown, steps: readonly number[], by: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || typeof value !== 'object' || value === null) return by;
  const copy = cloneJson(value) as Record<string, unknown>;
  const keys = Object.keys(copy);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return by;
  copy[key] = damaged(copy[key], rest, by);
  return copy;
}

const damagedSamples = fc
  .tuple(samples, fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 6 }), values)
  .map(([{ kind, object }, steps, by]) => ({ kind, object: damaged(object, steps, by) }));

/** What the server does with a body between its decoder and its store. */
function taken(kind: KindDescriptor, given: unknown): KubeObject | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const { metadata } = given as Partial<KubeObject>;
  if (metadata === null || typeof metadata !== 'object') return undefined;
  if (schemas.checkFields(given, kind.schema).typeError !== undefined) return undefined;
  const object = schemas.normalize(cloneJson(given), kind.schema) as KubeObject;
  object.metadata ??= {};
  return object;
}

/** Paths of all that a document holds, as JSON pointers. */
function pointers(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [at];
  const below = Object.entries(value).flatMap(([key, entry]) =>
    pointers(entry, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
  return [at, ...below];
}

const jsonPatches = fc
  .tuple(values, values, fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(), values), { maxLength: 6 }))
  .map(([document, odd, picks]) => {
    const known = [...pointers(document), '/-', '/0', '/x', '/__proto__/a', 'x'];
    const ops = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'jump'];
    const patch = picks.map(([op, path, from, value]) => ({
      op: ops[op % ops.length],
      path: known[path % known.length],
      from: known[from % known.length],
      value,
    }));
    return { document, patch: picks.length === 5 ? odd : patch };
  });

const DIRECTIVES = ['replace', 'delete', 'merge', 'other'];

/** Parts of an object with directives among them. */
function withDirectives(value: unknown, picks: readonly number[], depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withDirectives(item, picks, depth + 1));
  const made: Record<string, unknown> = {};
  Object.entries(value).forEach(([key, entry], i) => {
    const pick = picks[(i + depth) % Math.max(1, picks.length)] ?? 0;
    if (pick % 11 === 1) made[key] = null;
    else made[key] = withDirectives(entry, picks, depth + 1);
    if (pick % 13 === 2) made['$patch'] = DIRECTIVES[pick % DIRECTIVES.length];
    if (pick % 17 === 3)
      made[`$setElementOrder/${key}`] = Array.isArray(entry) ? [...entry].reverse() : pick;
    if (pick % 19 === 4)
      made[`$deleteFromPrimitiveList/${key}`] = Array.isArray(entry) ? entry : pick;
    if (pick % 23 === 5) made['$retainKeys'] = Object.keys(value);
  });
  return made;
}

const pairs = anyKind.chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    one: objects(kind),
    two: objects(kind),
    picks: fc.array(fc.nat({ max: 5000 }), { maxLength: 6 }),
  }),
);

const named = ({ kind, metadata, ...rest }: KubeObject, apiVersion: string): KubeObject => ({
  ...rest,
  kind: kind ?? '',
  apiVersion,
  metadata: {
    name: metadata.name ?? 'web',
    ...(metadata.labels ? { labels: metadata.labels } : {}),
    ...(metadata.annotations ? { annotations: metadata.annotations } : {}),
  },
});

function applyAs(
  manager: string,
  kind: KindDescriptor,
  live: KubeObject | undefined,
  patch: KubeObject,
): KubeObject | undefined {
  const apiVersion = toApiVersion(kind.group, kind.version);
  if (typedProblems(named(patch, apiVersion), kind.schema, schemas) !== undefined) return undefined;
  const made = refusable(() =>
    applyPatch({
      manager,
      registry: schemas,
      schemaName: kind.schema,
      apiVersion,
      now: '2024-01-01T00:00:00Z',
      live,
      patch: named(patch, apiVersion),
      force: true,
    }),
  );
  return made?.object;
}

const CEL_PIECES =
  "self s 1 2.5 'a' true null [ ] { } ( ) . , : + - * / % == != < && || ! ? in has .size() .all(x,x) .map(x,x) .exists(x,x==1) .a [0] .?a .matches(s) x timestamp(s) ip(s) quantity(s) .split(',') optional.of(1)".split(
    ' ',
  );
const celEnv = {
  variables: new Map([
    ['self', celTypes.dyn],
    ['s', celTypes.string],
  ]),
  functions: standardFunctions,
};

export const objectTargets: readonly Target[] = [
  target('validation', fc.oneof(samples, damagedSamples), ({ kind, object: given }) => {
    const object = taken(kind, given);
    if (!object) return;
    kind.setDefaults?.(object);
    const once = cloneJson(object);
    kind.setDefaults?.(object);
    must(equalJson(object, once), 'defaults are idempotent');
    const errors = kind.strategy.validate?.(object, CONTEXT) ?? [];
    must(equalJson(object, once), 'validation changes nothing');
    for (const error of errors) must(typeof error.field === 'string', 'each error has a field');
    const old = cloneJson(object);
    kind.strategy.validateUpdate?.(object, old, CONTEXT);
    kind.columns.row(object, 0);
  }),
  target('JSON patches', jsonPatches, ({ document, patch }) => {
    const before = JSON.stringify(document);
    refusable(() => applyJsonPatch(document, patch));
    must(JSON.stringify(document) === before, 'leaves the document alone');
  }),
  target('merge patches', fc.tuple(values, values), ([document, patch]) => {
    const before = JSON.stringify(document);
    const once = applyMergePatch(document, patch);
    must(JSON.stringify(document) === before, 'leaves the document alone');
    must(equalJson(applyMergePatch(once, patch), once), 'says the same twice');
  }),
  target('strategic patches', pairs, ({ kind, one, two, picks }) => {
    const before = JSON.stringify(one);
    const patch = withDirectives(two, picks);
    refusable(() => applyStrategicMergePatch(one, patch, schemas, kind.schema));
    must(JSON.stringify(one) === before, 'leaves the document alone');
  }),
  target(
    'strategic patches of anything',
    fc.tuple(samples, values),
    ([{ kind, object }, patch]) => {
      refusable(() => applyStrategicMergePatch(object, patch, schemas, kind.schema));
    },
  ),
  target('apply', pairs, ({ kind, one, two }) => {
    const first = applyAs('one', kind, undefined, one);
    if (!first) return;
    const again = applyAs('one', kind, first, one);
    must(again !== undefined && equalJson(again, first), 'applying twice changes nothing');
    const both = applyAs('two', kind, first, two);
    if (both) applyAs('one', kind, both, one);
  }),
  target('managed fields', pairs, ({ kind, one, two }) => {
    const apiVersion = toApiVersion(kind.group, kind.version);
    const common = {
      registry: schemas,
      schemaName: kind.schema,
      apiVersion,
      now: '2024-01-01T00:00:00Z',
    };
    const created = trackUpdate({ ...common, manager: 'one', old: undefined, new: one });
    trackUpdate({ ...common, manager: 'two', old: created, new: two });
  }),
  target('apply of anything', fc.tuple(anyKind, values), ([kind, value]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    applyAs('one', kind, undefined, { ...value, metadata: { name: 'web' } });
  }),
  target('CEL', fc.tuple(soup(CEL_PIECES, 12), fc.jsonValue()), ([source, json]) => {
    const { program } = compile(source, celEnv);
    if (!program) return;
    const get = (name: string): unknown => (name === 's' ? 'text' : dynFromJson(json));
    const { value, error } = program.evaluate({ get } as never, 10_000);
    must((value === undefined) === (error !== undefined), 'has a value or an error');
  }),
];
