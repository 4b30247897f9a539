import { MessageEncoder } from '@orrery/apimachinery';
import type { Steps } from '@orrery/apimachinery';
import { gnosticDescriptor } from '../assets.js';
import { any, asList, asRecord, extensions } from './gnostic-values.js';
import type { Json } from './gnostic-values.js';

const SAME = [
  'format',
  'title',
  'description',
  'pattern',
  'maximum',
  'minimum',
  'required',
] as const;
const RENAMED: readonly (readonly [string, string])[] = [
  ['$ref', '_ref'],
  ['maxLength', 'max_length'],
  ['minLength', 'min_length'],
  ['maxItems', 'max_items'],
  ['minItems', 'min_items'],
  ['maxProperties', 'max_properties'],
  ['minProperties', 'min_properties'],
  ['uniqueItems', 'unique_items'],
  ['exclusiveMaximum', 'exclusive_maximum'],
  ['exclusiveMinimum', 'exclusive_minimum'],
  ['multipleOf', 'multiple_of'],
];

function schema(source: Json): Json {
  const made: Json = { vendor_extension: extensions(source) };
  for (const key of SAME) if (source[key] !== undefined) made[key] = source[key];
  for (const [from, to] of RENAMED) if (source[from] !== undefined) made[to] = source[from];
  if (source['enum']) made['enum'] = (source['enum'] as unknown[]).map(any);
  if (source['default'] !== undefined) made['default'] = any(source['default']);
  if (source['type']) made['type'] = { value: [source['type']].flat() };
  if (source['items']) made['items'] = { schema: [schema(asRecord(source['items']))] };
  if (source['properties']) {
    made['properties'] = {
      additional_properties: Object.entries(asRecord(source['properties'])).map(
        ([name, value]) => ({ name, value: schema(asRecord(value)) }),
      ),
    };
  }
  const additional = source['additionalProperties'];
  if (additional !== undefined) {
    made['additional_properties'] =
      typeof additional === 'boolean'
        ? { boolean: additional }
        : { schema: schema(asRecord(additional)) };
  }
  return made;
}

function parameter(source: Json): Json {
  const { name, description } = source;
  const required = source['required'] === true;
  if (source['in'] === 'body') {
    const body = {
      name,
      in: 'body',
      required,
      description,
      schema: schema(asRecord(source['schema'])),
    };
    return { parameter: { body_parameter: body } };
  }
  const place = String(source['in']);
  const plain = {
    name,
    in: place,
    description,
    type: source['type'],
    required,
    unique_items: source['uniqueItems'] === true,
  };
  return { parameter: { non_body_parameter: { [`${place}_parameter_sub_schema`]: plain } } };
}

function operation(source: Json): Json {
  return {
    tags: source['tags'],
    description: source['description'],
    operation_id: source['operationId'],
    consumes: source['consumes'],
    produces: source['produces'],
    schemes: source['schemes'],
    parameters: asList(source['parameters']).map(parameter),
    responses: {
      response_code: Object.entries(asRecord(source['responses'])).map(([name, value]) => {
        const response = asRecord(value);
        const answer = response['schema']
          ? { schema: { schema: schema(asRecord(response['schema'])) } }
          : {};
        return { name, value: { response: { description: response['description'], ...answer } } };
      }),
    },
    vendor_extension: extensions(source),
  };
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

function pathItem(source: Json): Json {
  const made: Json = { parameters: asList(source['parameters']).map(parameter) };
  for (const method of METHODS)
    if (source[method]) made[method] = operation(asRecord(source[method]));
  return made;
}

/**
 * An OpenAPI v2 document in gnostic's binary form, which kubectl up to 1.28 asks for; in steps. Each path and definition is
 * a message of its own: readers of protobuf put together what comes in pieces.
 */
export function* toGnostic(document: Json): Steps<Buffer[]> {
  const encoder = new MessageEncoder(gnosticDescriptor(), 'openapi.v2.Document');
  const chunks = [encoder.encode({ swagger: document['swagger'], info: document['info'] })];
  const paths = asRecord(document['paths']);
  for (const name of Object.keys(paths)) {
    const path = { name, value: pathItem(asRecord(paths[name])) };
    chunks.push(encoder.encode({ paths: { path: [path] } }));
    yield;
  }
  const definitions = asRecord(document['definitions']);
  for (const name of Object.keys(definitions)) {
    const definition = { name, value: schema(asRecord(definitions[name])) };
    chunks.push(encoder.encode({ definitions: { additional_properties: [definition] } }));
    yield;
  }
  return chunks;
}
