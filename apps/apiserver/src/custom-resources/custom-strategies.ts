import type { FieldError, KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  nameIsDnsSubdomain,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '@orrery/apimachinery';
import type { KindContext, Strategy } from '@orrery/api';
import { cloneJson } from '@orrery/registry';
import { fieldError } from './findings.js';
import type { Json, StructuralSchema } from './structural-schema.js';
import { validateEmbedded } from './validate-embedded.js';
import { validateListTypes } from './validate-lists.js';
import { RuleValidator } from './validate-rules.js';
import { validateBySchema } from './validate-schema.js';

interface WithStatus extends KubeObject {
  status?: unknown;
}

const METADATA = FieldPath.of('metadata');
const TYPE_AND_META = new Set(['apiVersion', 'kind', 'metadata']);

/** Type and metadata are checked by the server; the schema may only restrict the name. */
function bodyOf(object: KubeObject, schema: StructuralSchema): Json {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...body } = object;
  return schema.properties?.['metadata'] ? { ...body, metadata } : body;
}

function bodySchema(schema: StructuralSchema): StructuralSchema {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...properties } = schema.properties ?? {};
  const required = (schema.required ?? []).filter((name) => !TYPE_AND_META.has(name));
  return {
    ...schema,
    properties: {
      ...properties,
      ...(metadata ? { metadata: { ...metadata, type: 'object' } } : {}),
    },
    required,
  };
}

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

/** Only the status is written by /status. */
function keepAllButStatus(object: WithStatus, old: WithStatus): void {
  const { status } = object;
  for (const key of Object.keys(object))
    if (!TYPE_AND_META.has(key) && key !== 'status') delete (object as unknown as Json)[key];
  const { metadata: _metadata, status: _status, ...kept } = cloneJson(old);
  Object.assign(object, kept);
  if (status !== undefined) object.status = status;
}

/** What the schema says of an object, rules apart; `old` is the object that it replaces. */
function findBySchema(
  checked: StructuralSchema,
  object: KubeObject,
  old?: KubeObject,
): FieldError[] {
  const body = bodyOf(object, checked);
  const before = old && bodyOf(old, checked);
  // Lists that were not unique before may stay so.
  const wasUnique = !before || validateListTypes(before, checked, '').length === 0;
  return [
    ...validateBySchema(body, checked, '', before),
    ...validateEmbedded(body, checked, ''),
    ...(wasUnique ? validateListTypes(body, checked, '') : []),
  ];
}

type Checks = Required<Pick<Strategy, 'validateUpdate' | 'validateSlowly'>>;

function updateChecks(schema: StructuralSchema, checked: StructuralSchema): Checks {
  const rules = new RuleValidator(schema);
  return {
    validateUpdate: (object, old) => [
      ...validateObjectMetaUpdate(object.metadata, old.metadata, METADATA),
      ...findBySchema(checked, object, old),
    ],
    validateSlowly: async (object, old, context: KindContext, found) => {
      if (!rules.hasRules) return [];
      if (found.some(({ type }) => BLOCKING.has(type))) return [NOT_CHECKED];
      const warn = (message: string): void => {
        context.warn(message);
      };
      return rules.validate({ object, ...(old ? { old } : {}), warn });
    },
  };
}

/** The checks of custom resources (apiextensions-apiserver pkg/registry/customresource/strategy.go). */
export function customStrategies(
  schema: StructuralSchema,
  namespaced: boolean,
  hasStatus: boolean,
): { readonly main: Strategy; readonly status: Strategy } {
  const checked = bodySchema(schema);
  const checks = updateChecks(schema, checked);
  const meta = { namespaced, nameValidator: nameIsDnsSubdomain };
  const main: Strategy = {
    ...checks,
    allowUnconditionalUpdate: false,
    prepareForCreate(object: WithStatus) {
      if (hasStatus) delete object.status;
    },
    prepareForUpdate(object: WithStatus, old: WithStatus) {
      if (!hasStatus) return;
      if (old.status === undefined) delete object.status;
      else object.status = cloneJson(old.status);
    },
    validate: (object) => [
      ...validateObjectMeta(object.metadata, meta, METADATA),
      ...findBySchema(checked, object),
    ],
  };
  const status = { ...checks, allowUnconditionalUpdate: false, prepareForUpdate: keepAllButStatus };
  return { main, status };
}
