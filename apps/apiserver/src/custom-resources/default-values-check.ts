import type { FieldError } from '@orrery/apimachinery';
import { newInvalid } from '@orrery/apimachinery';
import type { CustomResourceDefinition } from '@orrery/api';
import { schemasOfDefinition } from '@orrery/api';
import { cloneJson, equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import { invalidValue } from './findings.js';
import { prune } from './prune.js';
import type { StructuralSchema } from './structural-schema.js';
import { isJsonObject } from './structural-schema.js';
import { validateEmbedded } from './validate-embedded.js';
import { validateListTypes } from './validate-lists.js';
import { RuleValidator } from './validate-rules.js';
import { validateBySchema } from './validate-schema.js';

/** Inside `metadata` upstream checks the whole, which the server's own rules for metadata do here. */
const isMetadata = (key: string, isRoot: boolean): boolean => isRoot && key === 'metadata';

interface Place {
  readonly schema: StructuralSchema;
  readonly path: string;
}

/** Every schema below one that has a default, with where it stands. */
function* withDefaults({ schema, path }: Place, isRoot = true): Generator<Place> {
  if (schema.default !== undefined) yield { schema, path };
  const isResource = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  for (const [key, child] of Object.entries(schema.properties ?? {}))
    if (!isMetadata(key, isResource))
      yield* withDefaults({ schema: child, path: `${path}.properties[${key}]` }, false);
  const { items, additionalProperties } = schema;
  if (items) yield* withDefaults({ schema: items, path: `${path}.items` }, false);
  if (typeof additionalProperties === 'object')
    yield* withDefaults(
      { schema: additionalProperties, path: `${path}.additionalProperties` },
      false,
    );
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

/** k8s apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go:validate, of one default. */
async function checkDefault({ schema, path }: Place): Promise<FieldError[]> {
  const at = `${path}.default`;
  const value = schema.default;
  const isNested = isJsonObject(value) || Array.isArray(value);
  const found = [
    ...validateBySchema(value, schema, at),
    ...(isNested
      ? [...validateEmbedded(value, schema, at), ...validateListTypes(value, schema, at)]
      : []),
  ];
  const pruned = unknownFields(schema, at);
  if (found.length > 0) return [...pruned, ...found];
  const rules = await new RuleValidator(schema).validate({ object: value, warn: () => undefined });
  return [...pruned, ...rules.map((finding) => below(at, finding))];
}

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
      for (const place of withDefaults({ schema: schema as StructuralSchema, path }))
        findings.push(...(await checkDefault(place)));
    if (findings.length > 0) throw newInvalid(kind, definition.metadata.name ?? '', findings);
  }
}
