import type { HubConversion } from './removed-kind.js';
import type { Json } from './json.js';
import { changedFields, fieldsOf, isObject, without } from './json.js';

/** A selector and labels that are left out are those of the template (before apps/v1beta2). Mutates. */
export function setSelectorDefaults(object: Json): void {
  const { spec } = object;
  if (!isObject(spec)) return;
  const { labels } = fieldsOf(fieldsOf(spec['template'])['metadata']);
  if (!isObject(labels)) return;
  spec['selector'] ??= { matchLabels: { ...labels } };
  const metadata = fieldsOf(object['metadata']);
  if (Object.keys(fieldsOf(metadata['labels'])).length === 0) metadata['labels'] = { ...labels };
}

/** The object with an annotation, or without it where there is no value. */
export function withAnnotation(object: Json, name: string, value: string | undefined): Json {
  return changedFields(object, 'metadata', (metadata) => {
    const rest = without(fieldsOf(metadata['annotations']), name);
    const annotations = value === undefined ? rest : { ...rest, [name]: value };
    const others = without(metadata, 'annotations');
    return Object.keys(annotations).length > 0 ? { ...others, annotations } : others;
  });
}

export const annotationOf = (object: Json, name: string): unknown =>
  fieldsOf(fieldsOf(object['metadata'])['annotations'])[name];

/** A field of the spec that only an annotation keeps in apps/v1 (k8s pkg/apis/apps/v1/conversion.go). */
export function annotatedField(
  field: string,
  annotation: string,
  parse: (text: string) => unknown,
  print: (value: unknown) => string,
): HubConversion {
  return {
    toHub(object) {
      const value = fieldsOf(object['spec'])[field];
      if (value === undefined || value === null) return object;
      const made = changedFields(object, 'spec', (spec) => without(spec, field));
      return withAnnotation(made, annotation, print(value));
    },
    fromHub(hub) {
      const text = annotationOf(hub, annotation);
      if (typeof text !== 'string' || !/^\d+$/.test(text)) return hub;
      const made = withAnnotation(hub, annotation, undefined);
      return changedFields(made, 'spec', (spec) => ({ ...spec, [field]: parse(text) }));
    },
  };
}

export const rollbackConversion = annotatedField(
  'rollbackTo',
  'deprecated.deployment.rollback.to',
  (text) => (text === '0' ? {} : { revision: Number(text) }),
  (value) => JSON.stringify(fieldsOf(value)['revision'] ?? 0),
);

export const templateGenerationConversion = annotatedField(
  'templateGeneration',
  'deprecated.daemonset.template.generation',
  Number,
  (value) => JSON.stringify(value),
);
