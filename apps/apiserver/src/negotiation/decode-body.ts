import type { KubeObject } from '@orrery/apimachinery';
import { StatusError, newBadRequest, parseYaml, toApiVersion } from '@orrery/apimachinery';
import type { ApiRequest } from '../filters/api-request.js';

/** The kind that a body must be. */
export interface BodyKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Definition in schemas.json; undefined = the caller checks the fields. */
  readonly schema?: string;
  readonly message?: string;
  /** Kinds such as DeleteOptions that every group version has. */
  readonly anyVersion?: boolean;
}

const UNSUPPORTED = (type: string, accepted: readonly string[]): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    { cause: new Error(`content type ${type}`) },
  );

export const mediaTypeOf = (header: string | undefined): string =>
  (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

function parseText(request: ApiRequest, type: string): unknown {
  const text = request.body.toString('utf8');
  try {
    return type === 'application/yaml' ? parseYaml(text) : (JSON.parse(text) as unknown);
  } catch (error) {
    throw newBadRequest(
      `couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
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
  if (object.apiVersion !== apiVersion && !expected.anyVersion) {
    throw newBadRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  object.metadata ??= {};
  return object as KubeObject;
}

const ACCEPTED = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
] as const;

/** Decodes a request's body to plain JSON in the media type it came in. */
export function decodeBody(request: ApiRequest, expected: BodyKind): KubeObject {
  const type = mediaTypeOf(request.headers['content-type']) || 'application/json';
  if (request.body.length === 0) throw newBadRequest('the request body is empty');
  if (type === 'application/json' || type === 'application/yaml')
    return checkKind(parseText(request, type), expected);
  throw UNSUPPORTED(type, ACCEPTED);
}
