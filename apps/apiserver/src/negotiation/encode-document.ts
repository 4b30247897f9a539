import { ProtobufError, encodeYaml } from '@orrery/apimachinery';
import type { Negotiated, WireFormat } from './accept.js';
import { protobuf } from './schemas.js';

/** JSON as clients read it: with two spaces for people. */
export function toJsonBytes(document: unknown, pretty: boolean): Buffer {
  return Buffer.from(
    pretty ? `${JSON.stringify(document, undefined, 2)}\n` : JSON.stringify(document),
  );
}

interface Encoded {
  readonly bytes: Buffer;
  readonly format: WireFormat;
}

/**
 * Documents that protobuf cannot carry (Tables, custom kinds) go out as JSON, which every client takes. What discovery tells of
 * the core group names no version; its messages are those of v1.
 */
function toProtobuf(document: object): Encoded {
  try {
    return { bytes: protobuf().encode({ apiVersion: 'v1', ...document }), format: 'protobuf' };
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    return { bytes: toJsonBytes(document, false), format: 'json' };
  }
}

/** A document in the format asked for, or in JSON where that format cannot carry it. */
export function encodeDocument(document: object, negotiated: Negotiated): Encoded {
  if (negotiated.format === 'protobuf') return toProtobuf(document);
  if (negotiated.format === 'yaml')
    return { bytes: Buffer.from(encodeYaml(document)), format: 'yaml' };
  return { bytes: toJsonBytes(document, negotiated.pretty), format: 'json' };
}
