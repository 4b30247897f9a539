import { readGenerated } from '../generated.js';

/**
 * A field of a Go struct as gen/internal-forms.json has it: its name in Go ('' = an embedded struct, whose fields stand among
 * those of the other), its name in the API, what it is, and whether Go leaves it out when it is empty. What it is: the JSON
 * of its zero, or the name of a struct, after `*`, `[]` or `{}` for pointers, lists and maps of it.
 */
type Field = readonly [name: string, from: string, is: string, omits?: 'omitempty'];
type Forms = Readonly<Record<string, readonly Field[]>>;

let forms: Forms | undefined;

/** Read when the first finding shows a struct: few servers ever tell of one. */
function formsOfStructs(): Forms {
  forms ??= readGenerated('internal-forms.json') as Forms;
  return forms;
}

type Plain = Record<string, unknown>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === false ||
  value === 0 ||
  value === '' ||
  (Array.isArray(value) && value.length === 0);

/** Go writes the keys of a map in their order. */
const sorted = (map: Plain, each: (value: unknown) => unknown = (value) => value): Plain =>
  Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((key) => [key, each(map[key])]),
  );

function structOf(value: Plain, type: string, into: Plain): Plain {
  for (const [name, from, is, omits] of formsOfStructs()[type] ?? []) {
    const given = from === '' ? value : value[from];
    if (name === '') structOf(isPlain(given) ? given : {}, is, into);
    else {
      const printed = fieldOf(given, is);
      if (!omits || !isEmpty(printed)) into[name] = printed;
    }
  }
  return into;
}

function fieldOf(value: unknown, is: string): unknown {
  const [, mark = '', type = ''] = /^(\*|\[\]|\{\})?(.*)$/.exec(is) ?? [];
  if (!type.includes('/')) {
    if (value === undefined || value === null) return JSON.parse(type);
    return isPlain(value) ? sorted(value) : value;
  }
  const one = (item: unknown): Plain => internalForm(item, type);
  if (mark === '') return one(value);
  if (value === undefined || value === null) return null;
  if (mark === '[]') return Array.isArray(value) ? value.map(one) : null;
  return mark === '{}' && isPlain(value) ? sorted(value, one) : one(value);
}

const OF_THE_CONTEXT = ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers'];

/** What of a pod's spec the internal type has in its security context (pkg/apis/core/v1/conversion.go). */
function withContext(spec: Plain): Plain {
  const moved = OF_THE_CONTEXT.filter((field) => spec[field] !== undefined);
  const context = spec['securityContext'];
  if (moved.length === 0 && !isPlain(context)) return spec;
  const fields = Object.fromEntries(moved.map((field) => [field, spec[field]]));
  return { ...spec, securityContext: { ...(isPlain(context) ? context : {}), ...fields } };
}

/**
 * A value as upstream's findings show it: validation there sees internal types, which have no JSON names, so that Go writes
 * the names of their fields, all of them, in their order (apimachinery pkg/util/validation/field/errors.go:ErrorBody).
 * `type` is a struct of gen/internal-forms.json, e.g. `core/v1.PodSpec`. What is null in a list is a struct without fields there.
 */
export function internalForm(value: unknown, type: string): Plain {
  const given = isPlain(value) ? value : {};
  return structOf(type === 'core/v1.PodSpec' ? withContext(given) : given, type, {});
}
