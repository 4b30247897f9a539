import type { Negotiated, WireFormat } from './accept.js';

/** JSON as clients read it: with two spaces for people. */
export function toJsonBytes(document: unknown, pretty: boolean): Buffer {
  return Buffer.from(pretty ? `${JSON.stringify(document, undefined, 2)}\n` : JSON.stringify(document));
}

/** A document in the format asked for, or in JSON where that format cannot carry it. */
export function encodeDocument(
  document: object,
  negotiated: Negotiated,
): { bytes: Buffer; format: WireFormat } {
  return { bytes: toJsonBytes(document, negotiated.pretty), format: 'json' };
}
