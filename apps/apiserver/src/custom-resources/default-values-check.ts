import type { FieldError } from '@orrery/apimachinery';
import { newInvalid } from '@orrery/apimachinery';
import type { CustomResourceDefinition } from '@orrery/api';
import { schemasOfDefinition } from '@orrery/api';
import { inTurns } from '@orrery/component';
import { cloneJson, equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import { invalidValue } from './findings.js';
import { prune } from './prune.js';
import type { Json, StructuralSchema } from './structural-schema.js';
import { validateEmbedded } from './validate-embedded.js';
import { RuleValidator } from './validate-rules.js';
import { validateBySchema } from './validate-schema.js';

const TYPE_AND_META = new Set(['apiVersion', 'kind', 'metadata']);

/** A resource around a value inside of its type or metadata, where a default cannot be judged alone. */
interface Surrounding {
  readonly schema: StructuralSchema;
  readonly wrap: (value: unknown) => Json;
}

interface Place {
  readonly schema: StructuralSchema;
  readonly path: string;
  /** The resource that the place is in, and its steps from there. */
  readonly resource: StructuralSchema;
  readonly steps: readonly string[];
  readonly inMeta: boolean;
}

/** Every schema below one that has a default; those of additionalProperties have none that count. */
function* withDefaults(place: Place): Generator<Place> {
  const { schema, path, steps } = place;
  if (schema.default !== undefined) yield place;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const resource = isEmbedded ? schema : place.resource;
  const from = isEmbedded ? [] : steps;
  const inMeta = !isEmbedded && place.inMeta;
  const { items } = schema;
  if (items)
    yield* withDefaults({
      schema: items,
      path: `${path}.items`,
      resource,
      steps: [...from, '[]'],
      inMeta,
    });
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const isMeta = resource === schema && TYPE_AND_META.has(key);
    yield* withDefaults({
      schema: child,
      path: `${path}.properties[${key}]`,
      resource,
      steps: [...from, key],
      inMeta: inMeta || isMeta,
    });
  }
}

/** The smallest resource that has the value where the place is (…/defaulting/surroundingobject.go). */
function surroundingOf({ resource, steps }: Place): Surrounding {
  return {
    schema: { ...resource, 'x-kubernetes-embedded-resource': true },
    wrap: (value) => {
      const inner = steps.reduceRight<unknown>(
        (made, step) => (step === '[]' ? [made] : { [step]: made }),
        value,
      );
      return { apiVersion: 'validation/v1', kind: 'Validation', ...(inner as Json) };
    },
  };
}

/** Defaults inside of a resource's type or metadata must give a good one. */
function checkMeta(place: Place, at: string): FieldError[] {
  const { schema, wrap } = surroundingOf(place);
  const value = place.schema.default;
  const texts = validateEmbedded(wrap(value), schema, '').map(
    ({ field, message }) => `${field}: ${message}`,
  );
  const [first, ...more] = texts;
  if (first === undefined) return [];
  const shown = more.length === 0 ? first : `[${texts.join(', ')}]`;
  return [invalidValue(at, value, `must result in valid metadata: ${shown}`)];
}

const below = (path: string, { field, ...rest }: FieldError): FieldError => ({
  ...rest,
  field:
    field === '' || field === '<nil>'
      ? path
      : field.startsWith('[')
        ? path + field
        : `${path}.${field}`,
});

/** What a default must not say of fields that the schema does not know. */
function unknownFields(schema: StructuralSchema, at: string): FieldError[] {
  const pruned: unknown = cloneJson(schema.default);
  // The members of a wrapper are pruned without the leave that the top of an object has.
  prune({ default: pruned }, { properties: { default: schema } });
  return equalJson(pruned, schema.default)
    ? []
    : [invalidValue(at, schema.default, 'must not have unknown fields')];
}

/** What the rules say of a default, be it there already or new. */
async function checkRules(schema: StructuralSchema, at: string): Promise<FieldError[]> {
  const rules = new RuleValidator(schema);
  if (!rules.hasRules) return [];
  const object = schema.default;
  const warn = (): void => undefined;
  const found = [
    ...(await rules.validate({ object, warn })),
    ...(await rules.validate({ object, old: object, warn })),
  ];
  const texts = new Set<string>();
  return found
    .map((finding) => below(at, finding))
    .filter(({ field, message }) => {
      const isNew = !texts.has(`${field}: ${message}`);
      texts.add(`${field}: ${message}`);
      return isNew;
    });
}

/** k8s apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go:validate, of one default. */
async function checkDefault(place: Place): Promise<FieldError[]> {
  const { schema, path, inMeta } = place;
  const at = `${path}.default`;
  const pruned = inMeta ? [] : unknownFields(schema, at);
  const meta = inMeta ? checkMeta(place, at) : validateEmbedded(schema.default, schema, at);
  if (meta.length > 0) return [...pruned, ...meta];
  const found = await inTurns(validateBySchema(schema.default, schema, at));
  return [...pruned, ...(found.length > 0 ? found : await checkRules(schema, at))];
}

const rootOf = (schema: StructuralSchema, path: string): Place => ({
  schema,
  path,
  resource: schema,
  steps: [],
  inMeta: false,
});

/** Refuses definitions whose defaults their own schemas refuse. */
export class DefaultValuesCheck implements AdmissionPlugin {
  readonly name = 'CustomResourceDefaultValues';

  handles(operation: string): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async validate({ kind, subresource, object, oldObject }: AdmissionAttributes): Promise<void> {
    if (kind.kind !== 'CustomResourceDefinition' || subresource !== '' || !object) return;
    const definition = object as CustomResourceDefinition;
    const old = oldObject as CustomResourceDefinition | undefined;
    if (old && equalJson(definition.spec?.versions, old.spec?.versions)) return;
    const findings: FieldError[] = [];
    for (const { path, schema } of schemasOfDefinition(definition))
      for (const place of withDefaults(rootOf(schema as StructuralSchema, path)))
        findings.push(...(await checkDefault(place)));
    if (findings.length > 0) throw newInvalid(kind, definition.metadata.name ?? '', findings);
  }
}
