import type { KubeObject } from '@orrery/apimachinery';
import {
  DecodeError,
  ProtobufError,
  StatusError,
  UnknownMessageError,
  decodeJson,
  decodeYaml,
  duplicateFieldsOf,
  newBadRequest,
} from '@orrery/apimachinery';
import type { ApiRequest } from '../filters/api-request.js';
import { decodeYamlAside } from './decode-aside.js';
import type { DecodeHow, Decoded } from './decode-aside.js';
import type { BodyKind } from './body-kind.js';
import { checkKind, unrecognized } from './body-kind.js';
import { protobuf } from './schemas.js';

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

type Parsed = Pick<Decoded, 'value'> & Partial<Decoded>;

/** What is wrong with the bytes is a 400. */
function toRefusal(error: unknown, expected: BodyKind, body: Uint8Array): unknown {
  if (error instanceof DecodeError) {
    const problem = error.message.startsWith('yaml: ')
      ? error.message
      : `couldn't get version/kind; json parse error: ${error.message}`;
    return unrecognized(expected, problem, body);
  }
  if (error instanceof UnknownMessageError) return refusedKind(error, expected, body);
  return error instanceof ProtobufError ? unrecognized(expected, error.message, body) : error;
}

function refusedKind(error: UnknownMessageError, expected: BodyKind, body: Uint8Array): unknown {
  try {
    checkKind({ apiVersion: error.apiVersion, kind: error.kind }, expected, body);
    return newBadRequest(error.message, error);
  } catch (refusal) {
    return refusal;
  }
}

function decode(type: string, body: Buffer, how?: DecodeHow): Parsed | Promise<Parsed> {
  switch (type) {
    case 'application/json':
      return decodeJson(body);
    case 'application/yaml':
      return decodeYamlAside(body, how);
    case 'application/vnd.kubernetes.protobuf':
      return { value: protobuf().decode(body).object };
    default:
      throw unsupported(type, ACCEPTED);
  }
}

function decodeAtOnce(type: string, body: Buffer): Parsed {
  if (type === 'application/yaml') return decodeYaml(body);
  return decode(type, body) as Parsed;
}

export interface DecodedBody {
  readonly object: KubeObject;
  readonly duplicateFields: readonly string[];
  /** Of YAML: {@link Decoded.repeatedKeys}. */
  readonly repeatedKeys: readonly string[];
  /** Protobuf has no unknown fields and no wrong types: nothing is left to check. */
  readonly typed: boolean;
}

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const typeOf = (request: ApiRequest): string =>
  mediaTypeOf(request.headers['content-type']) || 'application/json';

/** As decodeBody, but large bodies let others have their turn; says what is odd about the body, too. */
export async function decodeBodyInTurn(
  request: ApiRequest,
  expected: BodyKind,
  how: DecodeHow = {},
): Promise<DecodedBody> {
  const { pause } = how;
  const { body } = request;
  const type = typeOf(request);
  try {
    await pause?.();
    const { value, repeatedKeys = [] } = await decode(type, body, how);
    await pause?.();
    // Repeated fields are looked for once the size of the document is known.
    const duplicateFields = type === 'application/json' ? duplicateFieldsOf(body) : [];
    const object = checkKind(value, expected, body);
    return { object, duplicateFields, repeatedKeys, typed: type === PROTOBUF };
  } catch (error) {
    throw toRefusal(error, expected, body);
  }
}

/** Decodes a request's body to plain JSON in the media type it came in. */
export function decodeBody(request: ApiRequest, expected: BodyKind): KubeObject {
  const { body } = request;
  try {
    return checkKind(decodeAtOnce(typeOf(request), body).value, expected, body);
  } catch (error) {
    throw toRefusal(error, expected, body);
  }
}
