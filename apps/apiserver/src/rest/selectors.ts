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
function fieldsOf(kind: KindDescriptor, object: KubeObject): Record<string, string> {
  return {
    'metadata.name': object.metadata.name ?? '',
    ...(kind.scope === 'Namespaced' || !kind.selectableFields
      ? { 'metadata.namespace': object.metadata.namespace ?? '' }
      : {}),
    ...kind.selectableFields?.(object),
  };
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
    const known = fieldsOf(kind, EMPTY);
    for (const { field } of selector.requirements)
      if (!(field in known)) throw new TypeError(unknownField(kind, field));
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
