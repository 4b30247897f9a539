import { MessageEncoder } from '@orrery/apimachinery';
import type { Steps } from '@orrery/apimachinery';
import { gnosticV3Descriptor } from '../assets.js';
import { any, asList, asRecord, extensions } from './gnostic-values.js';
import type { Json } from './gnostic-values.js';

/** Fields of a schema by their names in the binary form; the others are made one by one. */
const SCALARS: Readonly<Record<string, string>> = {
  nullable: 'nullable',
  title: 'title',
  description: 'description',
  format: 'format',
  type: 'type',
  pattern: 'pattern',
  required: 'required',
  multipleOf: 'multiple_of',
  maximum: 'maximum',
  minimum: 'minimum',
  exclusiveMaximum: 'exclusive_maximum',
  exclusiveMinimum: 'exclusive_minimum',
  maxLength: 'max_length',
  minLength: 'min_length',
  maxItems: 'max_items',
  minItems: 'min_items',
  uniqueItems: 'unique_items',
  maxProperties: 'max_properties',
  minProperties: 'min_properties',
};

const LISTS: Readonly<Record<string, string>> = {
  allOf: 'all_of',
  oneOf: 'one_of',
  anyOf: 'any_of',
};

const named = (object: unknown, convert: (value: Json) => Json): Json[] =>
  Object.entries(asRecord(object)).map(([name, value]) => ({
    name,
    value: convert(asRecord(value)),
  }));

/** The binary form has room for scalars alone. */
function defaultOf(value: unknown): Json | undefined {
  if (typeof value === 'string') return { string: value };
  if (typeof value === 'number') return { number: value };
  return typeof value === 'boolean' ? { boolean: value } : undefined;
}

function schemaOrReference(source: Json): Json {
  if (typeof source['$ref'] === 'string') return { reference: { _ref: source['$ref'] } };
  return { schema: schema(source) };
}

function schema(source: Json): Json {
  const made: Json = { specification_extension: extensions(source) };
  for (const [from, to] of Object.entries(SCALARS))
    if (source[from] !== undefined) made[to] = source[from];
  for (const [from, to] of Object.entries(LISTS))
    if (source[from]) made[to] = asList(source[from]).map(schemaOrReference);
  if (source['not']) made['not'] = schema(asRecord(source['not']));
  if (Array.isArray(source['enum'])) made['enum'] = source['enum'].map(any);
  const fallback = defaultOf(source['default']);
  if (fallback) made['default'] = fallback;
  if (source['items'])
    made['items'] = { schema_or_reference: [schemaOrReference(asRecord(source['items']))] };
  if (source['properties'])
    made['properties'] = { additional_properties: named(source['properties'], schemaOrReference) };
  const additional = source['additionalProperties'];
  if (additional !== undefined) {
    made['additional_properties'] =
      typeof additional === 'boolean'
        ? { boolean: additional }
        : { schema_or_reference: schemaOrReference(asRecord(additional)) };
  }
  return made;
}

const content = (source: unknown): Json => ({
  additional_properties: named(source, (media) => ({
    schema: schemaOrReference(asRecord(media['schema'])),
  })),
});

const parameter = (source: Json): Json => ({
  parameter: {
    name: source['name'],
    in: source['in'],
    description: source['description'],
    required: source['required'],
    schema: schemaOrReference(asRecord(source['schema'])),
  },
});

function operation(source: Json): Json {
  const body = source['requestBody'] ? asRecord(source['requestBody']) : undefined;
  return {
    tags: source['tags'],
    description: source['description'],
    operation_id: source['operationId'],
    parameters: asList(source['parameters']).map(parameter),
    ...(body
      ? {
          request_body: {
            request_body: { content: content(body['content']), required: body['required'] },
          },
        }
      : {}),
    responses: {
      response_or_reference: named(source['responses'], (response) => ({
        response: { description: response['description'], content: content(response['content']) },
      })),
    },
    specification_extension: extensions(source),
  };
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

function pathItem(source: Json): Json {
  const made: Json = { parameters: asList(source['parameters']).map(parameter) };
  for (const method of METHODS)
    if (source[method]) made[method] = operation(asRecord(source[method]));
  return made;
}

const securityScheme = ({ type, description, name, in: place }: Json): Json => ({
  security_scheme: { type, description, name, in: place },
});

let encoder: MessageEncoder | undefined;

/** An OpenAPI v3 document in gnostic's binary form (k8s kube-openapi pkg/handler3:ToV3ProtoBinary), in steps and pieces as that of v2. */
export function* toGnosticV3(document: Json): Steps<Buffer[]> {
  encoder ??= new MessageEncoder(gnosticV3Descriptor(), 'openapi.v3.Document');
  const components = asRecord(document['components']);
  const chunks = [
    encoder.encode({
      openapi: document['openapi'],
      info: document['info'],
      paths: { path: named(document['paths'], pathItem) },
    }),
  ];
  const schemas = asRecord(components['schemas']);
  for (const name of Object.keys(schemas)) {
    const value = schemaOrReference(asRecord(schemas[name]));
    const additional_properties = [{ name, value }];
    chunks.push(encoder.encode({ components: { schemas: { additional_properties } } }));
    yield;
  }
  const security = named(components['securitySchemes'], securityScheme);
  chunks.push(
    encoder.encode({ components: { security_schemes: { additional_properties: security } } }),
  );
  return chunks;
}
