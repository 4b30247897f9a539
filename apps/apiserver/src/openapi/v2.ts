import { setOwn } from '@orrery/apimachinery';
import type { Steps } from '@orrery/apimachinery';
import { KUBERNETES_VERSION } from '@orrery/component';
import type { ResourceCatalog } from '../rest/resource-catalog.js';
import { closure, definitionsFor } from './definitions.js';
import type { Definition } from './definitions.js';
import type { Operation } from './operations.js';
import { operationsIn, patchTypesOf, withParameters } from './operations.js';

const ANSWER_TYPES = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
];

/** OpenAPI v2 knows no oneOf, anyOf, not and nullable: what cannot be said is left out (apiextensions ToStructuralOpenAPIV2). */
const V3_ONLY = new Set(['oneOf', 'anyOf', 'not', 'nullable', 'allOf']);

/** `names`: the keys are names of fields, not keywords (JSONSchemaProps has fields named like these). */
function toV2(value: unknown, names = false): unknown {
  if (Array.isArray(value)) return value.map((one) => toV2(one));
  if (typeof value !== 'object' || value === null) return value;
  const entries = value as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(entries))
    if (names || !V3_ONLY.has(key))
      setOwn(copy, key, toV2(entries[key], !names && key === 'properties'));
  return copy;
}

function toOperation(operation: Operation, tag: string): Record<string, unknown> {
  const { body, method, answer } = operation;
  return {
    tags: [tag],
    description: operation.description,
    operationId: operation.id,
    consumes: method === 'patch' ? patchTypesOf(operation) : ['*/*'],
    produces: ANSWER_TYPES,
    schemes: ['https'],
    ...withParameters([
      ...(body
        ? [
            {
              name: 'body',
              in: 'body',
              ...(method === 'delete' ? {} : { required: true }),
              schema: { $ref: `#/definitions/${body}` },
            },
          ]
        : []),
      ...operation.parameters.map(({ name, type, description }) => ({
        name,
        in: 'query',
        type,
        description,
        uniqueItems: true,
      })),
    ]),
    responses: {
      200: { description: 'OK', schema: { $ref: `#/definitions/${answer}` } },
      401: { description: 'Unauthorized' },
    },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.gvk,
  };
}

/** The OpenAPI v2 document of everything that is served, in steps: there may be hundreds of definitions. */
export function* openApiV2(catalog: ResourceCatalog): Steps<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  const names = new Set<string>();
  for (const { group, versions } of catalog.groups()) {
    for (const version of versions) {
      const tag = `${group === '' ? 'core' : (group.split('.')[0] ?? '')}_${version}`;
      for (const operation of operationsIn(catalog, group, version)) {
        const item = (paths[operation.path] ??= withParameters(
          operation.pathParameters.map((name) => ({
            name,
            in: 'path',
            required: true,
            type: 'string',
            uniqueItems: true,
          })),
        ));
        item[operation.method] = toOperation(operation, tag);
        names.add(operation.answer);
        if (operation.body) names.add(operation.body);
      }
      yield;
    }
  }
  const all = yield* closure(names, definitionsFor(catalog.all(), true));
  const definitions: Record<string, Definition> = {};
  for (const name of Object.keys(all)) {
    definitions[name] = toV2(all[name]) as Definition;
    yield;
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: KUBERNETES_VERSION },
    paths,
    definitions,
  };
}
