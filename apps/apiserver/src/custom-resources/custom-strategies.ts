import type { FieldError, KubeObject, Steps } from '@orrery/apimachinery';
import {
  FieldPath,
  nameIsDnsSubdomain,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '@orrery/apimachinery';
import type { CustomResourceSubresourceScale, KindContext, Strategy } from '@orrery/api';
import { inTurns } from '@orrery/component';
import { cloneJson } from '@orrery/registry';
import { fieldError } from './findings.js';
import type { Json, StructuralSchema } from './structural-schema.js';
import { validateEmbedded } from './validate-embedded.js';
import { validateListTypes } from './validate-lists.js';
import { RuleValidator } from './validate-rules.js';
import { validateScaleSpec, validateScaleStatus } from './validate-scale.js';
import { validateBySchema } from './validate-schema.js';

interface WithStatus extends KubeObject {
  status?: unknown;
}

const METADATA = FieldPath.of('metadata');
const TYPE_AND_META = new Set(['apiVersion', 'kind', 'metadata']);

/** Findings after which rules could not be trusted to say anything sensible. */
const BLOCKING = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const NOT_CHECKED = fieldError(
  'FieldValueInvalid',
  '<nil>',
  'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
);

/** Only the status is written by /status; of the metadata, who manages what (…/customresource/status_strategy.go). */
function keepAllButStatus(object: WithStatus, old: WithStatus): void {
  const { status } = object;
  for (const key of Object.keys(object))
    if (!TYPE_AND_META.has(key) && key !== 'status') delete (object as unknown as Json)[key];
  const { resourceVersion, managedFields } = object.metadata;
  const { status: _status, ...kept } = cloneJson(old);
  const { managedFields: _managed, ...metadata } = kept.metadata;
  Object.assign(object, kept, {
    metadata: {
      ...metadata,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(managedFields ? { managedFields } : {}),
    },
  });
  if (status !== undefined) object.status = status;
}

/** What one version of a definition says of its objects. */
export interface ObjectRules {
  readonly schema: StructuralSchema;
  readonly namespaced: boolean;
  readonly hasStatus: boolean;
  readonly scale: CustomResourceSubresourceScale | undefined;
}

/** Lists that were not unique before may stay so. */
function* findInLists(
  schema: StructuralSchema,
  object: KubeObject,
  old?: KubeObject,
): Steps<FieldError[]> {
  const found = yield* validateListTypes(object, schema, '');
  if (found.length === 0 || !old) return found;
  const before = yield* validateListTypes(old, schema, '');
  return before.length === 0 ? found : [];
}

/** What the schema says of an object, rules apart; `old` is the object that it replaces. */
function* findBySchema(
  { schema, scale }: ObjectRules,
  object: KubeObject,
  old?: KubeObject,
): Steps<FieldError[]> {
  return [
    ...(yield* validateBySchema(object, schema, '', old)),
    ...validateScaleSpec(object, scale),
    ...validateScaleStatus(object, scale),
    ...validateEmbedded(object, schema, ''),
    ...(yield* findInLists(schema, object, old)),
  ];
}

/** Of the status alone, which is all that /status writes (…/validator.go:ValidateStatusUpdate). */
function* findInStatus(
  { schema, scale }: ObjectRules,
  object: WithStatus,
  old: WithStatus | undefined,
): Steps<FieldError[]> {
  const known = schema.properties?.['status'];
  return [
    ...(known && object.status !== undefined
      ? yield* validateBySchema(object.status, known, 'status', old?.status)
      : []),
    ...validateScaleStatus(object, scale),
    ...(yield* findInLists(schema, object, old)),
  ];
}

const STANDARD_FINALIZERS = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

/** What is told of a finalizer that is new (…/validator.go:validateKubeFinalizerName). */
function finalizerWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  const known = new Set([...STANDARD_FINALIZERS, ...(old?.metadata.finalizers ?? [])]);
  const added = new Set((object.metadata.finalizers ?? []).filter((name) => !known.has(name)));
  return [...added]
    .sort()
    .filter((name) => !name.includes('/'))
    .map((name) => {
      const path = name.includes('.') ? ' including a path (/)' : '';
      return `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
    });
}

type SlowCheck = NonNullable<Strategy['validateSlowly']>;

/** The schema, in turns with other requests; rules come last. What is accepted may still be warned of. */
function schemaCheck(definition: ObjectRules, rules: RuleValidator, isStatus: boolean): SlowCheck {
  const findSteps = isStatus ? findInStatus : findBySchema;
  return async (object, old, context: KindContext, before) => {
    const bySchema = await inTurns(findSteps(definition, object, old));
    const found = [...before, ...bySchema];
    const warn = (message: string): void => {
      context.warn(message);
    };
    if (rules.hasRules && found.some(({ type }) => BLOCKING.has(type)))
      return [...bySchema, NOT_CHECKED];
    const late = rules.hasRules
      ? await rules.validate({ object, ...(old ? { old } : {}), warn })
      : [];
    const isAccepted = found.length + late.length === 0;
    if (isAccepted && !isStatus) finalizerWarnings(object, old).forEach(warn);
    return [...bySchema, ...late];
  };
}

function statusStrategy(rules: ObjectRules, validator: RuleValidator): Strategy {
  return {
    allowUnconditionalUpdate: false,
    prepareForUpdate: keepAllButStatus,
    validateUpdate: (object, old) =>
      validateObjectMetaUpdate(object.metadata, old.metadata, METADATA),
    validateSlowly: schemaCheck(rules, validator, true),
  };
}

/** The checks of custom resources (apiextensions-apiserver pkg/registry/customresource/strategy.go). */
export function customStrategies(rules: ObjectRules): {
  readonly main: Strategy;
  readonly status: Strategy;
} {
  const { namespaced, hasStatus } = rules;
  const validator = new RuleValidator(rules.schema);
  const meta = { namespaced, nameValidator: nameIsDnsSubdomain };
  const main: Strategy = {
    allowUnconditionalUpdate: false,
    prepareForCreate(object: WithStatus) {
      if (hasStatus) delete object.status;
    },
    prepareForUpdate(object: WithStatus, old: WithStatus) {
      if (!hasStatus) return;
      if (old.status === undefined) delete object.status;
      else object.status = cloneJson(old.status);
    },
    validate: (object) => validateObjectMeta(object.metadata, meta, METADATA),
    validateUpdate: (object, old) =>
      validateObjectMetaUpdate(object.metadata, old.metadata, METADATA),
    validateSlowly: schemaCheck(rules, validator, false),
  };
  return { main, status: statusStrategy(rules, validator) };
}
