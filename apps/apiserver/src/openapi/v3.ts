import { setOwn } from '@orrery/apimachinery';
import type { Steps } from '@orrery/apimachinery';
import { KUBERNETES_VERSION } from '@orrery/component';
import type { ResourceCatalog } from '../rest/resource-catalog.js';
import { closure, definitionsFor } from './definitions.js';
import type { Operation } from './operations.js';
import { operationsIn, patchTypesOf, withParameters } from './operations.js';

const ANSWER_TYPES = [
  'application/json',
  'application/vnd.kubernetes.protobuf',
  'application/yaml',
];

/** Refs point into components; a ref beside other keys becomes the one member of allOf, as OpenAPI v3 wants it. */
export function toV3(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toV3);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  const entries = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(entries)) setOwn(copy, key, toV3(entries[key]));
  const ref = copy['$ref'];
  if (typeof ref !== 'string') return copy;
  copy['$ref'] = ref.replace('#/definitions/', '#/components/schemas/');
  if (Object.keys(copy).length === 1) return copy;
  const { $ref, ...rest } = copy;
  return { ...rest, allOf: [{ $ref }] };
}

const schemaRef = (name: string): object => ({
  schema: { $ref: `#/components/schemas/${name}` },
});

const contentOf = (types: readonly string[], name: string): object =>
  Object.fromEntries(types.map((type) => [type, schemaRef(name)]));

function toOperation(operation: Operation, tag: string): Record<string, unknown> {
  const { body, method, answer } = operation;
  return {
    tags: [tag],
    description: operation.description,
    operationId: operation.id,
    ...withParameters(
      operation.parameters.map(({ name, type, description }) => ({
        name,
        in: 'query',
        description,
        schema: { type, uniqueItems: true },
      })),
    ),
    ...(body
      ? {
          requestBody: {
            content: contentOf(method === 'patch' ? patchTypesOf(operation) : ['*/*'], body),
            ...(method === 'delete' ? {} : { required: true }),
          },
        }
      : {}),
    responses: { 200: { description: 'OK', content: contentOf(ANSWER_TYPES, answer) } },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.gvk,
  };
}

/** The OpenAPI v3 document of one group version, in steps. */
export function* openApiV3(
  catalog: ResourceCatalog,
  group: string,
  version: string,
): Steps<Record<string, unknown>> {
  const operations = operationsIn(catalog, group, version);
  const tag = `${group === '' ? 'core' : (group.split('.')[0] ?? '')}_${version}`;
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const item = (paths[operation.path] ??= withParameters(
      operation.pathParameters.map((name) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string', uniqueItems: true },
      })),
    ));
    item[operation.method] = toOperation(operation, tag);
  }
  const names = operations.flatMap(({ body, answer }) => (body ? [body, answer] : [answer]));
  const all = yield* closure(names, definitionsFor(catalog.in(group, version)));
  const schemas: Record<string, unknown> = {};
  for (const name of Object.keys(all)) {
    schemas[name] = toV3(all[name]);
    yield;
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: KUBERNETES_VERSION },
    paths,
    components: {
      schemas,
      securitySchemes: {
        BearerToken: {
          type: 'apiKey',
          description: 'Bearer Token authentication',
          name: 'authorization',
          in: 'header',
        },
      },
    },
  };
}
