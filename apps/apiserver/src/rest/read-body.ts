import type { KubeObject } from '@orrery/apimachinery';
import { StatusError, newBadRequest } from '@orrery/apimachinery';
import { schemas } from '../negotiation/schemas.js';
import { decodeBody } from '../negotiation/decode-body.js';
import type { Call } from './call.js';

type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

function fieldValidationOf(call: Call): FieldValidation {
  const value = call.request.query.get('fieldValidation') ?? '';
  if (value === 'Strict' || value === 'Ignore') return value;
  if (value === 'Warn' || value === '') return 'Warn';
  throw new StatusError(
    422,
    'Invalid',
    `CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`,
  );
}

/** Applies the request's fieldValidation to fields that the kind does not know. */
function report(call: Call, unknown: readonly string[]): void {
  if (unknown.length === 0) return;
  const mode = fieldValidationOf(call);
  const texts = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (mode === 'Strict') throw newBadRequest(`strict decoding error: ${texts.join(', ')}`);
  if (mode === 'Warn') for (const text of texts) call.request.context.warn(text);
}

/** Drops what the kind does not know, refuses values of the wrong type, and reports both as asked. */
export function checkFields(call: Call, object: KubeObject): KubeObject {
  const { kind, custom } = call.resource;
  if (custom) {
    report(call, custom.prune(object));
    return object;
  }
  const { unknownFields, typeError } = schemas().checkFields(object, kind.schema);
  if (typeError !== undefined) {
    throw newBadRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${typeError}`,
    );
  }
  report(call, unknownFields);
  return schemas().normalize(object, kind.schema);
}

/** The object in the body, as Go's decoder would leave it. */
export function readObject(call: Call): KubeObject {
  const { kind, custom } = call.resource;
  const object = decodeBody(call.request, {
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    ...(custom ? {} : { schema: kind.schema, message: kind.message }),
  });
  return checkFields(call, object);
}
