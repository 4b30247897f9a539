// What the scenarios of custom resources share: how a definition, an object and a step are written, and two definitions.

export const definition = (schema, more = {}, version = {}) => ({
  metadata: { name: 'foos.schemas.example.com', ...more.metadata },
  spec: {
    group: 'schemas.example.com',
    scope: 'Namespaced',
    names: { plural: 'foos', singular: 'foo', kind: 'Foo', listKind: 'FooList' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version },
    ],
    ...more.spec,
  },
});

export const object = (properties, more) => ({ type: 'object', properties, ...more });

export const spec = (properties, more) => object({ spec: object(properties, more) });

export const rule = (text, more) => ({ rule: text, ...more });

export const ruled = (schema, ...rules) => ({
  ...schema,
  'x-kubernetes-validations': rules.map((one) => (typeof one === 'string' ? rule(one) : one)),
});

export const string = { type: 'string' };

export const integer = { type: 'integer' };

export const list = (items, more) => ({ type: 'array', items, ...more });

export const map = (additionalProperties, more) => ({
  type: 'object',
  additionalProperties,
  ...more,
});

export const MERGE = { type: 'application/merge-patch+json' };

export const JSON_PATCH = { type: 'application/json-patch+json' };

export const STRATEGIC = { type: 'application/strategic-merge-patch+json' };

export const APPLY = { type: 'application/apply-patch+yaml' };

export const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };

export const PARTIAL = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' };

export const PARTIAL_LIST = {
  accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
};

export const GROUP = 'resources.example.com';

export const COLLECTION = `/apis/${GROUP}/v1/namespaces/default/foos`;

export const step = (method, path, body, options) => ({
  label: `${method} ${path} ${JSON.stringify(body)?.slice(0, 160) ?? ''} ${options ? Object.values(options).join() : ''}`,
  method,
  path,
  body,
  options,
});

export const get = (path, options) => step('GET', path, undefined, options);

export const patch = (body, options, path = ONE) => step('PATCH', path, body, options);

export const foo = (name, more, rest) => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'Foo',
  metadata: { name },
  spec: more,
  ...rest,
});

export const create = (name, more, rest, query = '') =>
  step('POST', `${COLLECTION}${query}`, foo(name, more, rest));

export const ONE = `${COLLECTION}/one`;

export const DRY_RUNS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All';

/** A step: a definition with this schema as a dry run. */
export const define = (label, schema, more, version) => ({
  label,
  method: 'POST',
  path: DRY_RUNS,
  body: definition(schema, more, version),
});
