import type { KubeObject } from '@orrery/apimachinery';
import {
  DecodeError,
  ProtobufError,
  StatusError,
  decodeJson,
  decodeYaml,
  duplicateFieldsOf,
  newBadRequest,
  toApiVersion,
} from '@orrery/apimachinery';
import type { ApiRequest } from '../filters/api-request.js';
import { decodeYamlAside } from './decode-aside.js';
import { protobuf } from './schemas.js';

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
}

/** 415 naming what would be taken. */
export const unsupported = (type: string, accepted: readonly string[]): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    { cause: new Error(`content type ${type}`) },
  );

export const mediaTypeOf = (header: string | undefined): string =>
  (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

const ACCEPTED = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
] as const;

interface Parsed {
  readonly value: unknown;
  readonly duplicateFields: readonly string[];
}

/** What is wrong with the bytes is a 400. */
function toRefusal(error: unknown): unknown {
  if (error instanceof DecodeError)
    return newBadRequest(`couldn't get version/kind; json parse error: ${error.message}`, error);
  return error instanceof ProtobufError ? newBadRequest(error.message, error) : error;
}

function guarded(decode: () => Parsed): Parsed {
  try {
    return decode();
  } catch (error) {
    throw toRefusal(error);
  }
}

/** Repeated fields are looked for once the size of the document is known. */
async function parseJson({ body }: ApiRequest, pause?: () => Promise<void>): Promise<Parsed> {
  const { value } = guarded(() => decodeJson(body));
  await pause?.();
  return { value, duplicateFields: duplicateFieldsOf(body) };
}

async function parseYaml({ body }: ApiRequest): Promise<Parsed> {
  try {
    return await decodeYamlAside(body);
  } catch (error) {
    throw toRefusal(error);
  }
}

function parseInTurn(
  request: ApiRequest,
  type: string,
  pause?: () => Promise<void>,
): Promise<Parsed> | Parsed {
  if (type === 'application/json') return parseJson(request, pause);
  return type === 'application/yaml' ? parseYaml(request) : parse(request, type);
}

function parse(request: ApiRequest, type: string): Parsed {
  switch (type) {
    case 'application/json':
      return guarded(() => decodeJson(request.body));
    case 'application/yaml':
      return guarded(() => decodeYaml(request.body));
    case 'application/vnd.kubernetes.protobuf':
      return guarded(() => ({
        value: protobuf().decode(request.body).object,
        duplicateFields: [],
      }));
    default:
      throw unsupported(type, ACCEPTED);
  }
}

/** Checks kind and apiVersion of a decoded body, and fills them when they are absent. */
export function checkKind(value: unknown, expected: BodyKind): KubeObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw newBadRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const object = value as Partial<KubeObject>;
  const apiVersion = toApiVersion(expected.group, expected.version);
  object.apiVersion ||= apiVersion;
  object.kind ||= expected.kind;
  if (object.kind !== expected.kind) {
    throw newBadRequest(
      `${object.kind} in version ${JSON.stringify(object.apiVersion.split('/').at(-1) ?? '')} cannot be handled as a ${expected.kind}: converting (${object.apiVersion}).${object.kind} to (${apiVersion}).${expected.kind}: unknown conversion`,
    );
  }
  const others = (expected.alsoVersions ?? []).map((one) => toApiVersion(expected.group, one));
  if (others.includes(object.apiVersion)) object.apiVersion = apiVersion;
  if (object.apiVersion !== apiVersion && !expected.anyVersion) {
    throw newBadRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  object.metadata ??= {};
  return object as KubeObject;
}

export interface DecodedBody {
  readonly object: KubeObject;
  readonly duplicateFields: readonly string[];
  /** Protobuf has no unknown fields and no wrong types: nothing is left to check. */
  readonly typed: boolean;
}

/** As decodeBody, but large bodies let others have their turn; says what is odd about the body, too. */
export async function decodeBodyInTurn(
  request: ApiRequest,
  expected: BodyKind,
  pause?: () => Promise<void>,
): Promise<DecodedBody> {
  const type = typeOf(request);
  const { value, duplicateFields } = await parseInTurn(request, type, pause);
  const typed = type === 'application/vnd.kubernetes.protobuf';
  return { object: checkKind(value, expected), duplicateFields, typed };
}

const typeOf = (request: ApiRequest): string =>
  mediaTypeOf(request.headers['content-type']) || 'application/json';

/** Decodes a request's body to plain JSON in the media type it came in. */
export const decodeBody = (request: ApiRequest, expected: BodyKind): KubeObject =>
  checkKind(parse(request, typeOf(request)).value, expected);
