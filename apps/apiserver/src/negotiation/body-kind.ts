import type { KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  StatusError,
  invalid,
  newBadRequest,
  newInternalError,
  newInvalid,
  parseApiVersion,
  toApiVersion,
} from '@orrery/apimachinery';
import { internalType, isRegistered, schemeOf } from './registered-kinds.js';

/** The kind that a body must be. */
export interface BodyKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Definition in schemas.json; undefined = the caller checks the fields. */
  readonly schema?: string;
  readonly message?: string;
  /** Versions with the same fields, which are taken for this one. */
  readonly alsoVersions?: readonly string[];
  /** Kinds such as DeleteOptions that every group version has. */
  readonly anyVersion?: boolean;
  /** Upstream decodes custom resources without a scheme: these must say what they are. */
  readonly isCustom?: boolean;
}

const GO_STRUCT =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
/** How much of a body that is not recognized is shown. */
const SHOWN_BYTES = 30;

/** k8s apiserver pkg/endpoints/handlers/rest.go:summarizeData. */
function summaryOf(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const start = Buffer.from(body.subarray(0, SHOWN_BYTES));
  const text = body[0] === 0x7b ? start.toString('utf8') : start.toString('hex');
  return body.length > SHOWN_BYTES ? `${text} ...` : text;
}

/** The refusal of a body whose kind cannot be told (k8s apiserver pkg/endpoints/handlers/rest.go:transformDecodeError). */
export function unrecognized(
  { kind, anyVersion }: BodyKind,
  problem: string,
  body: Uint8Array,
): StatusError {
  if (anyVersion) return newBadRequest(problem);
  return newBadRequest(
    `the object provided is unrecognized (must be of type ${kind}): ${problem} (${summaryOf(body)})`,
  );
}

/** An object that says what it is. */
type Typed = KubeObject & { apiVersion: string; kind: string };

const goType = (value: unknown): string => {
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'array' : typeof value;
};

const HEAD: readonly string[] = ['apiVersion', 'kind'];

/** Why kind and apiVersion cannot be read. */
function headProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `couldn't get version/kind; json parse error: json: cannot unmarshal ${goType(value)} into Go value of type ${GO_STRUCT}`;
  const head = value as Readonly<Record<string, unknown>>;
  const isBad = (key: string): boolean =>
    Object.hasOwn(head, key) && typeof head[key] !== 'string' && head[key] !== null;
  const bad = HEAD.filter(isBad);
  if (bad.length > 0) {
    const first = bad.length === 1 ? bad[0] : Object.keys(head).find((key) => bad.includes(key));
    return `couldn't get version/kind; json parse error: json: cannot unmarshal ${goType(head[first ?? ''])} into Go struct field .${first} of type string`;
  }
  const { apiVersion } = value as Partial<KubeObject>;
  if ((apiVersion?.split('/').length ?? 0) > 2)
    return `unexpected GroupVersion string: ${apiVersion}`;
  return undefined;
}

/** Why a built-in object of this kind and version is not one of the expected kind. */
function kindProblem(object: Typed, expected: BodyKind): string | undefined {
  const { apiVersion, kind } = object;
  const { group, version } = parseApiVersion(apiVersion);
  const wanted = toApiVersion(expected.group, expected.version);
  if (apiVersion === wanted && kind === expected.kind) return undefined;
  if (!isRegistered(expected.group, apiVersion, kind))
    return `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${JSON.stringify(schemeOf(expected.group))}`;
  const internal = internalType(expected.group, expected.kind);
  if (internalType(group, kind) === internal) return undefined;
  return `converting (${version}.${kind}) to (${internal}): unknown conversion`;
}

const otherVersion = (given: string, wanted: string): StatusError =>
  newBadRequest(
    `the API version in the data (${given}) does not match the expected API version (${wanted})`,
  );

const notHandled = (object: Typed, expected: BodyKind, problem: string): StatusError =>
  newBadRequest(
    `${object.kind} in version ${JSON.stringify(parseApiVersion(object.apiVersion).version)} cannot be handled as a ${expected.kind}: ${problem}`,
  );

/** What a custom object says of its kind is compared when it is validated (k8s apiextensions-apiserver pkg/registry/customresource/validator.go). */
export function refuseOtherKind(object: KubeObject, { group, version, kind }: BodyKind): void {
  const { kind: given = '', apiVersion = '' } = object;
  const wanted = toApiVersion(group, version);
  if (given === kind && apiVersion === wanted) return;
  const name = typeof object.metadata.name === 'string' ? object.metadata.name : '';
  throw newInvalid({ group: parseApiVersion(apiVersion).group, kind: given }, name, [
    ...(given === kind ? [] : [invalid(FieldPath.of('kind'), given, `must be ${kind}`)]),
    ...(apiVersion === wanted
      ? []
      : [invalid(FieldPath.of('apiVersion'), apiVersion, `must be ${wanted}`)]),
  ]);
}

/** Why kind and apiVersion of a patched custom object cannot be read; what has no version fails later. Throws 500. */
export function customPatchProblem(object: KubeObject): string | undefined {
  const problem = headProblem(object);
  if (problem !== undefined) return problem;
  if (!object.kind) return `Object 'Kind' is missing in '${JSON.stringify(object)}'`;
  if (!object.apiVersion)
    throw newInternalError("Object 'apiVersion' is missing in 'object has no apiVersion field'");
  return undefined;
}

function checkCustom(object: KubeObject, expected: BodyKind, body: Uint8Array): KubeObject {
  const wanted = toApiVersion(expected.group, expected.version);
  if (!object.kind)
    throw unrecognized(expected, `Object 'Kind' is missing in '${textOf(body)}'`, body);
  if (object.apiVersion !== wanted) throw otherVersion(object.apiVersion ?? '', wanted);
  refuseOtherKind(object, expected);
  return object;
}

const textOf = (body: Uint8Array): string => Buffer.from(body).toString('utf8');

/** Fills what is absent, as Go's decoder does from the kind that it expects. */
function fillKind(given: KubeObject, expected: BodyKind): asserts given is Typed {
  const object = given as Typed;
  object.kind ||= expected.kind;
  const { group, version } = parseApiVersion(object.apiVersion || '/');
  if (group === '' && version === '')
    object.apiVersion = toApiVersion(expected.group, expected.version);
  else if (group === '') object.apiVersion = version;
  else if (version === '' && group === expected.group)
    object.apiVersion = toApiVersion(group, expected.version);
}

function checkBuiltIn(object: KubeObject, expected: BodyKind, body: Uint8Array): void {
  const wanted = toApiVersion(expected.group, expected.version);
  fillKind(object, expected);
  if (object.apiVersion.endsWith('/'))
    throw notHandled(object, expected, `Object 'apiVersion' is missing in '${textOf(body)}'`);
  if (expected.anyVersion) {
    if (object.kind === expected.kind) return;
    throw newBadRequest(
      `no kind ${JSON.stringify(object.kind)} is registered for version ${JSON.stringify(object.apiVersion)} in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"`,
    );
  }
  const others = (expected.alsoVersions ?? []).map((one) => toApiVersion(expected.group, one));
  if (object.kind === expected.kind && others.includes(object.apiVersion))
    object.apiVersion = wanted;
  const problem = kindProblem(object, expected);
  if (problem !== undefined) throw notHandled(object, expected, problem);
  if (object.apiVersion !== wanted) throw otherVersion(object.apiVersion, wanted);
}

/** Checks kind and apiVersion of a decoded body, and fills them when they are absent. */
export function checkKind(value: unknown, expected: BodyKind, body: Uint8Array): KubeObject {
  // To Go's decoder, null is nothing to be read.
  const given = value === null ? {} : value;
  const problem = headProblem(given);
  if (problem !== undefined) throw unrecognized(expected, problem, body);
  const object = given as KubeObject;
  if (expected.isCustom)
    checkCustom({ ...object, metadata: object.metadata ?? {} }, expected, body);
  else checkBuiltIn(object, expected, body);
  object.metadata ??= {};
  return object;
}

/** Why a patch has left an object that is not of its kind any more. */
export function patchedKindProblem(object: KubeObject, expected: BodyKind): string | undefined {
  const problem = headProblem(object);
  if (problem !== undefined) return problem;
  const read = { ...object };
  fillKind(read, expected);
  return kindProblem(read, expected);
}
