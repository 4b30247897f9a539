import type { KubeObject, OddField } from '@orrery/apimachinery';
import { StatusError, byKeys, newBadRequest, oddFieldsOf } from '@orrery/apimachinery';
import { schemas } from '../negotiation/schemas.js';
import type { KindDescriptor } from '@orrery/api';
import type { ApiRequest } from '../filters/api-request.js';
import type { BodyKind } from '../negotiation/body-kind.js';
import { decodeBodyInTurn, mediaTypeOf } from '../negotiation/decode-body.js';
import { RepeatedBodies } from '../negotiation/repeated-bodies.js';
import type { Call } from './call.js';
import { pauseFor } from './pauses.js';

type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export function fieldValidationOf(request: ApiRequest): FieldValidation {
  const value = request.query.get('fieldValidation') ?? '';
  return value === 'Strict' || value === 'Ignore' ? value : 'Warn';
}

/** Fields that are unknown or repeated are not looked for. */
export const ignoresFields = (request: ApiRequest): boolean =>
  fieldValidationOf(request) === 'Ignore';

/** Makes the answer to what cannot be decoded, from the decoder's words. */
type Refuse = (problem: string) => StatusError;

/** k8s apiserver pkg/endpoints/handlers/rest.go:transformDecodeError. */
const refuseBody =
  (kind: { readonly kind: string; readonly version: string }): Refuse =>
  (problem) =>
    newBadRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${problem}`,
    );

interface Report {
  /** What is wrong before the object is looked at. */
  readonly before?: readonly string[];
  readonly unknown: readonly string[];
  readonly duplicates: readonly string[];
  /** The same of YAML, in its decoder's words. */
  readonly repeatedKeys?: readonly string[];
  readonly refuse: Refuse;
  /** JSON in which both are told of as a decoder meets them; without it what is given again comes first. */
  readonly body?: Buffer | undefined;
}

const toldOf = ({ path, isRepeated }: OddField): string =>
  `${isRepeated ? 'duplicate' : 'unknown'} field ${JSON.stringify(path)}`;

function oddFields({ unknown, duplicates, body }: Report): readonly OddField[] {
  if (body && unknown.length > 0 && duplicates.length > 0) return oddFieldsOf(body, unknown);
  return [
    ...duplicates.map((path) => ({ path, isRepeated: true })),
    ...unknown.map((path) => ({ path, isRepeated: false })),
  ];
}

/** Applies the request's fieldValidation to fields that the kind does not know. */
function report(request: ApiRequest, given: Report): void {
  const { unknown, duplicates, repeatedKeys = [], refuse, before = [] } = given;
  if (unknown.length + duplicates.length + repeatedKeys.length + before.length === 0) return;
  const mode = fieldValidationOf(request);
  const texts = [...before, ...oddFields(given).map(toldOf)];
  if (mode === 'Warn') for (const text of [...repeatedKeys, ...texts]) request.context.warn(text);
  if (mode !== 'Strict') return;
  if (repeatedKeys.length > 0) texts.unshift(yamlErrors(repeatedKeys));
  throw refuse(`strict decoding error: ${texts.join(', ')}`);
}

/** All of them are one error (go-yaml yaml.go:TypeError). */
export const yamlErrors = (texts: readonly string[]): string =>
  `yaml: unmarshal errors:\n  ${texts.join('\n  ')}`;

interface CheckOptions extends Partial<Omit<Report, 'unknown'>> {
  /** The object comes from upstream's converter of unstructured objects, not from its decoder. */
  readonly isConverted?: boolean;
  /** Go has read the document into maps before it decodes it: unknown fields are told of in the order of their names. */
  readonly wasMaps?: boolean;
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Custom objects have their metadata decoded like all others (k8s apiextensions-apiserver pkg/apiserver/schema/objectmeta/coerce.go). */
function readMeta(object: KubeObject, refuse: Refuse): readonly string[] {
  const { unknownFields, typeError } = schemas().checkFields(object.metadata, OBJECT_META);
  if (typeError !== undefined) throw refuse(typeError);
  object.metadata = schemas().normalize(object.metadata, OBJECT_META);
  // Upstream writes them anew, without lists that are empty.
  if (object.metadata.managedFields?.length === 0) delete object.metadata.managedFields;
  return unknownFields.map((path) => `metadata.${path}`);
}

/** Drops what the kind does not know, refuses values of the wrong type, and reports both as asked. */
export async function checkFields(
  call: Call,
  object: KubeObject,
  {
    duplicates = [],
    repeatedKeys = [],
    refuse = refuseBody(call.resource.kind),
    isConverted = false,
    wasMaps = false,
    before = [],
    body,
  }: CheckOptions = {},
): Promise<KubeObject> {
  const { kind, custom } = call.resource;
  if (custom) {
    const refuseValue = (reason: string): never => {
      throw refuse(reason);
    };
    const unknown = [...readMeta(object, refuse), ...custom.prune(object)];
    await pauseFor(call).pause?.();
    unknown.push(...custom.coerce(object, refuseValue));
    report(call.request, { unknown, duplicates, repeatedKeys, refuse, before });
    return object;
  }
  const { unknownFields, typeError, conversionError } = schemas().checkFields(object, kind.schema);
  if (typeError !== undefined)
    throw refuse(isConverted ? (conversionError ?? typeError) : typeError);
  const unknown = wasMaps ? byKeys(unknownFields) : unknownFields;
  report(call.request, { unknown, duplicates, repeatedKeys, refuse, before, body });
  await pauseFor(call).pause?.();
  return schemas().normalize(object, kind.schema);
}

const repeated = new WeakMap<KindDescriptor, RepeatedBodies>();

function repeatedOf(kind: KindDescriptor): RepeatedBodies {
  let bodies = repeated.get(kind);
  if (!bodies) repeated.set(kind, (bodies = new RepeatedBodies()));
  return bodies;
}

/** The object in the body of a create: many of these have the same body. */
export async function readNewObject(call: Call): Promise<KubeObject> {
  const { request, resource } = call;
  // What a definition says of a custom kind may change.
  if (resource.custom || mediaTypeOf(request.headers['content-type']) !== 'application/json')
    return readObject(call);
  const bodies = repeatedOf(resource.kind);
  const known = bodies.find(request.body);
  if (known) return known;
  const { warnings } = request;
  const before = warnings.size;
  const object = await readObject(call);
  const isPlain = warnings.size === before && fieldValidationOf(request) !== 'Ignore';
  if (isPlain) bodies.note(request.body, object);
  return object;
}

/** The object in the body, as Go's decoder would leave it. */
export async function readObject(call: Call): Promise<KubeObject> {
  const { kind, custom } = call.resource;
  const { pause } = pauseFor(call);
  const { object, duplicateFields, repeatedKeys, typed } = await decodeBodyInTurn(
    call.request,
    {
      group: kind.group,
      version: kind.version,
      kind: kind.kind,
      ...(custom ? { isCustom: true } : { schema: kind.schema, message: kind.message }),
    },
    { findRepeated: !ignoresFields(call.request), pause },
  );
  await pause?.();
  if (typed && !custom) return object;
  const { body, headers } = call.request;
  const duplicates = duplicateFields;
  const wasMaps = mediaTypeOf(headers['content-type']) === 'application/yaml';
  return checkFields(call, object, { duplicates, repeatedKeys, body, wasMaps });
}

/** An object of another kind than the collection's, which is known by its schema: as {@link checkFields}. */
export function checkAs(
  request: ApiRequest,
  object: KubeObject,
  { schema }: { readonly schema: string },
  {
    refuse,
    duplicates = [],
    repeatedKeys = [],
    before = [],
    isConverted,
  }: CheckOptions & Pick<Report, 'refuse'>,
): KubeObject {
  const { unknownFields, typeError, conversionError } = schemas().checkFields(object, schema);
  if (typeError !== undefined)
    throw refuse(isConverted ? (conversionError ?? typeError) : typeError);
  report(request, { unknown: unknownFields, duplicates, repeatedKeys, refuse, before });
  return schemas().normalize(object, schema);
}

/** A body that is no object of the collection (a review, a Binding, a Scale), as Go's decoder would leave it. */
export async function readTyped(
  request: ApiRequest,
  kind: BodyKind & { readonly schema: string },
): Promise<KubeObject> {
  const { pause } = pauseFor({ request });
  const { object, duplicateFields, repeatedKeys, typed } = await decodeBodyInTurn(request, kind, {
    findRepeated: !ignoresFields(request),
    pause,
  });
  if (typed) return schemas().normalize(object, kind.schema);
  return checkAs(request, object, kind, {
    refuse: refuseBody(kind),
    duplicates: duplicateFields,
    repeatedKeys,
  });
}
