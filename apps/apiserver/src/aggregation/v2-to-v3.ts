import { setOwn } from '@orrery/apimachinery';
import type { Steps } from '@orrery/apimachinery';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
const listOf = (value: unknown): Json[] =>
  Array.isArray(value) ? value.filter((one) => isObject(one)) : [];
const stringsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

const OLD = '#/definitions/';
const NEW = '#/components/schemas/';
/** Deeper documents are cut off, as no schema of a kind is. */
const DEPTH = 64;

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch']);
/** Fields of a parameter of version 2 that are not its schema. */
const PARAMETER_FIELDS = new Set(['name', 'in', 'description', 'required', 'allowEmptyValue']);
/** Fields of an operation that mean the same in both versions; so do extensions. */
const OPERATION_FIELDS = new Set(['tags', 'summary', 'description', 'operationId', 'deprecated']);

/** The value with its references as version 3 writes them; `names` takes those that it refers to. */
function withReferences(value: unknown, names: Set<string>, depth = 0): unknown {
  if (depth > DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((one) => withReferences(one, names, depth + 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key !== '$ref' || typeof inner !== 'string' || !inner.startsWith(OLD))
        return [key, withReferences(inner, names, depth + 1)];
      const name = inner.slice(OLD.length);
      names.add(name);
      return [key, `${NEW}${name}`];
    }),
  );
}

/** One conversion: what all its parts have in common. */
class Conversion {
  readonly names = new Set<string>();

  constructor(private readonly document: Json) {}

  path(item: Json): Json {
    const shared = listOf(item['parameters']);
    const entries = Object.entries(item).flatMap(([key, value]) => {
      if (METHODS.has(key) && isObject(value)) return [[key, this.operation(value, shared)]];
      return key.startsWith('x-') ? [[key, value]] : [];
    });
    const parameters = this.parameters(shared);
    return {
      ...(Object.fromEntries(entries) as Json),
      ...(parameters.length > 0 ? { parameters } : {}),
    };
  }

  /** Definitions that are referred to, and those that these refer to. */
  *schemas(): Steps<Json> {
    const definitions = objectOf(this.document['definitions']);
    const schemas: Json = {};
    // Names that are found on the way are looked at in their turn.
    for (const name of this.names) {
      yield;
      if (Object.hasOwn(definitions, name)) setOwn(schemas, name, this.refer(definitions[name]));
    }
    return schemas;
  }

  private refer(value: unknown): unknown {
    return withReferences(value, this.names);
  }

  private operation(operation: Json, shared: readonly Json[]): Json {
    const own = listOf(operation['parameters']);
    const parameters = this.parameters(own);
    const body = [...own, ...shared].find((one) => one['in'] === 'body');
    const kept = Object.entries(operation).filter(
      ([key]) => OPERATION_FIELDS.has(key) || key.startsWith('x-'),
    );
    return {
      ...(Object.fromEntries(kept) as Json),
      ...(parameters.length > 0 ? { parameters } : {}),
      ...(body ? { requestBody: this.body(body, operation) } : {}),
      responses: this.responses(operation),
    };
  }

  private parameters(given: readonly Json[]): Json[] {
    return given
      .filter((one) => one['in'] !== 'body')
      .map((parameter) => {
        const fields = Object.entries(parameter);
        const schema = fields.filter(([key]) => !PARAMETER_FIELDS.has(key));
        const own = fields.filter(([key]) => PARAMETER_FIELDS.has(key));
        return { ...(Object.fromEntries(own) as Json), schema: Object.fromEntries(schema) as Json };
      });
  }

  private types(operation: Json, field: 'consumes' | 'produces'): string[] {
    const own = stringsOf(operation[field]);
    const found = own.length > 0 ? own : stringsOf(this.document[field]);
    return found.length > 0 ? found : ['*/*'];
  }

  private body(parameter: Json, operation: Json): Json {
    const { description, required, schema } = parameter;
    const content = { schema: this.refer(schema) };
    return {
      ...(description === undefined ? {} : { description }),
      content: Object.fromEntries(
        this.types(operation, 'consumes').map((type) => [type, content]),
      ) as Json,
      ...(required === undefined ? {} : { required }),
    };
  }

  private responses(operation: Json): Json {
    const found = Object.entries(objectOf(operation['responses'])).map(([code, response]) => {
      const { description = '', schema } = objectOf(response);
      if (schema === undefined) return [code, { description }];
      const content = { schema: this.refer(schema) };
      const types = this.types(operation, 'produces').map((type) => [type, content]);
      return [code, { description, content: Object.fromEntries(types) as Json }];
    });
    return Object.fromEntries(found) as Json;
  }
}

/**
 * The OpenAPI v3 document of one group version, from the v2 document of a server that has no other (k8s kube-openapi
 * pkg/openapiconv/convert.go). Undefined when it has no path of the group version.
 */
export function* toOpenApiV3(document: Json, groupVersion: string): Steps<Json | undefined> {
  const conversion = new Conversion(document);
  const prefix = `/apis/${groupVersion}/`;
  const paths: Json = {};
  for (const [path, item] of Object.entries(objectOf(document['paths']))) {
    if (!`${path}/`.startsWith(prefix)) continue;
    setOwn(paths, path, conversion.path(objectOf(item)));
    yield;
  }
  if (Object.keys(paths).length === 0) return undefined;
  return {
    openapi: '3.0.0',
    info: document['info'] ?? { title: 'Kubernetes', version: 'unversioned' },
    paths,
    components: { schemas: yield* conversion.schemas() },
  };
}
