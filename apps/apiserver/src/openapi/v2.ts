import { KUBERNETES_VERSION } from '@orrery/component';
import type { ResourceCatalog } from '../rest/resource-catalog.js';
import { closure, definitionsFor } from './definitions.js';
import type { Definition } from './definitions.js';
import type { Operation } from './operations.js';
import { operationsIn, patchTypesOf } from './operations.js';

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
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => names || !V3_ONLY.has(key))
      .map(([key, entry]) => [key, toV2(entry, !names && key === 'properties')]),
  );
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
    parameters: [
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
    ],
    responses: {
      200: { description: 'OK', schema: { $ref: `#/definitions/${answer}` } },
      401: { description: 'Unauthorized' },
    },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.gvk,
  };
}

/** The OpenAPI v2 document of everything that is served. */
export function openApiV2(catalog: ResourceCatalog): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  const names = new Set<string>();
  for (const { group, versions } of catalog.groups()) {
    for (const version of versions) {
      const tag = `${group === '' ? 'core' : (group.split('.')[0] ?? '')}_${version}`;
      for (const operation of operationsIn(catalog, group, version)) {
        const item = (paths[operation.path] ??= {
          parameters: operation.pathParameters.map((name) => ({
            name,
            in: 'path',
            required: true,
            type: 'string',
            uniqueItems: true,
          })),
        });
        item[operation.method] = toOperation(operation, tag);
        names.add(operation.answer);
        if (operation.body) names.add(operation.body);
      }
    }
  }
  const all = closure(names, definitionsFor(catalog.all(), true));
  const definitions = Object.fromEntries(
    Object.entries(all).map(([name, definition]) => [name, toV2(definition) as Definition]),
  );
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: KUBERNETES_VERSION },
    paths,
    definitions,
  };
}
