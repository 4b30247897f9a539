import type { KubeObject } from '@orrery/apimachinery';
import { StatusError, newBadRequest } from '@orrery/apimachinery';
import { schemas } from '../negotiation/schemas.js';
import { decodeBodyFully } from '../negotiation/decode-body.js';
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
function report(call: Call, unknown: readonly string[], duplicates: readonly string[] = []): void {
  const mode = fieldValidationOf(call);
  const texts = [
    ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
    ...unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
  ];
  if (texts.length === 0) return;
  if (mode === 'Strict') throw newBadRequest(`strict decoding error: ${texts.join(', ')}`);
  if (mode === 'Warn') for (const text of texts) call.request.context.warn(text);
}

/** Drops what the kind does not know, refuses values of the wrong type, and reports both as asked. */
export function checkFields(
  call: Call,
  object: KubeObject,
  duplicates: readonly string[] = [],
): KubeObject {
  const { kind, custom } = call.resource;
  if (custom) {
    report(call, custom.prune(object), duplicates);
    return object;
  }
  const { unknownFields, typeError } = schemas().checkFields(object, kind.schema);
  if (typeError !== undefined) {
    throw newBadRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${typeError}`,
    );
  }
  report(call, unknownFields, duplicates);
  return schemas().normalize(object, kind.schema);
}

/** The object in the body, as Go's decoder would leave it. */
export function readObject(call: Call): KubeObject {
  const { kind, custom } = call.resource;
  const { object, duplicateFields, typed } = decodeBodyFully(call.request, {
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    ...(custom ? {} : { schema: kind.schema, message: kind.message }),
  });
  return typed && !custom ? object : checkFields(call, object, duplicateFields);
}
