import type { KubeObject } from '@orrery/apimachinery';
import { newBadRequest, parseFieldSelector, parseLabelSelector } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';

type Predicate = (object: KubeObject) => boolean;

function labelPredicate(text: string): Predicate | undefined {
  if (text === '') return undefined;
  try {
    const selector = parseLabelSelector(text);
    return selector.empty ? undefined : (object) => selector.matches(object.metadata.labels ?? {});
  } catch (error) {
    throw newBadRequest(error instanceof Error ? error.message : String(error), error);
  }
}

/** The fields that a kind can be selected by, with their values in an object. */
function readFields(kind: KindDescriptor, object: KubeObject): Record<string, string> {
  return {
    'metadata.name': object.metadata.name ?? '',
    ...(kind.scope === 'Namespaced' || !kind.selectableFields
      ? { 'metadata.namespace': object.metadata.namespace ?? '' }
      : {}),
    ...kind.selectableFields?.(object),
  };
}

type Fields = Readonly<Record<string, string>>;

const known = new WeakMap<KindDescriptor, WeakMap<KubeObject, Fields>>();

/** The same, made once for all watches that ask for them; objects that are watched do not change. */
function fieldsOf(kind: KindDescriptor, object: KubeObject): Fields {
  let ofKind = known.get(kind);
  if (!ofKind) known.set(kind, (ofKind = new WeakMap()));
  let fields = ofKind.get(object);
  if (!fields) ofKind.set(object, (fields = readFields(kind, object)));
  return fields;
}

const EMPTY: KubeObject = { metadata: {} };

/** What a kind without fields of its own answers (k8s apimachinery pkg/runtime/conversion.go:DefaultMetaV1FieldSelectorConversion). */
const unknownField = (kind: KindDescriptor, field: string): string =>
  kind.selectableFields
    ? `field label not supported: ${field}`
    : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;

function fieldPredicate(kind: KindDescriptor, text: string): Predicate | undefined {
  if (text === '') return undefined;
  try {
    const selector = parseFieldSelector(text);
    const names = readFields(kind, EMPTY);
    for (const field of selector.fields)
      if (!(field in names)) throw new TypeError(unknownField(kind, field));
    return (object) => selector.matches(fieldsOf(kind, object));
  } catch (error) {
    throw newBadRequest(error instanceof Error ? error.message : String(error), error);
  }
}

/** What labelSelector and fieldSelector demand; undefined = everything matches. */
export function predicateOf(kind: KindDescriptor, query: URLSearchParams): Predicate | undefined {
  const byLabel = labelPredicate(query.get('labelSelector') ?? '');
  const byField = fieldPredicate(kind, query.get('fieldSelector') ?? '');
  if (!byLabel || !byField) return byLabel ?? byField;
  return (object) => byLabel(object) && byField(object);
}
