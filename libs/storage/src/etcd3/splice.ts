/** Where a stored JSON object takes its resourceVersion, and where its leading type fields end. */
export interface SplicePoint {
  /** Offset just behind the `{` of metadata. */
  readonly at: number;
  /** Offset of the first field behind `{"kind":…,"apiVersion":…,`; 1 when the object does not lead with them. */
  readonly typeEnd: number;
  /** Whether metadata has other fields, so that a comma is needed. */
  readonly comma: boolean;
}

const METADATA = Buffer.from('"metadata":{');
const RESOURCE_VERSION = Buffer.from('"resourceVersion"');
/** What upstream and we write before metadata; anything else takes the slow way. */
const TYPE_PREFIX = /^\{(?:"(?:kind|apiVersion)":"[\w./-]*",){0,2}$/;
const LONGEST_TYPE_PREFIX = 400;
const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, 0x7b, 0x7d];

/** Finds the splice point without parsing; undefined when the value is not in the usual form. */
export function findSplicePoint(value: Buffer): SplicePoint | undefined {
  const metadata = value.indexOf(METADATA);
  if (metadata < 1 || metadata > LONGEST_TYPE_PREFIX) return undefined;
  if (!TYPE_PREFIX.test(value.toString('latin1', 0, metadata))) return undefined;
  const at = metadata + METADATA.length;
  const next = value[at];
  if (next !== QUOTE && next !== CLOSE) return undefined;
  if (hasOwnResourceVersion(value, at)) return undefined;
  return { at, typeEnd: metadata, comma: next === QUOTE };
}

/** True when metadata itself (not something nested, such as an Event's involvedObject) holds a resourceVersion. */
function hasOwnResourceVersion(value: Buffer, start: number): boolean {
  if (value.indexOf(RESOURCE_VERSION, start) < 0) return false;
  let depth = 1;
  for (let i = start; i < value.length && depth > 0; i++) {
    const byte = value[i];
    if (byte === OPEN) depth++;
    else if (byte === CLOSE) depth--;
    else if (byte === QUOTE) {
      if (depth === 1 && startsWith(value, i, RESOURCE_VERSION)) return true;
      i = endOfString(value, i);
    }
  }
  return false;
}

function startsWith(value: Buffer, at: number, expected: Buffer): boolean {
  return value.subarray(at, at + expected.length).equals(expected);
}

function endOfString(value: Buffer, open: number): number {
  let i = open + 1;
  while (i < value.length && value[i] !== QUOTE) i += value[i] === BACKSLASH ? 2 : 1;
  return i;
}

/** The fragment that {@link splice} inserts. */
export function resourceVersionField(revision: number, comma: boolean): string {
  return `"resourceVersion":"${revision}"${comma ? ',' : ''}`;
}

/** A copy of `value` with `field` inserted at `at`. */
export function insertAt(value: Buffer, at: number, field: string): Buffer {
  // Not of Node's pool, of which one that is kept for long would hold on to many times its size.
  const bytes = Buffer.allocUnsafeSlow(value.length + field.length);
  value.copy(bytes, 0, 0, at);
  bytes.write(field, at, 'latin1');
  value.copy(bytes, at + field.length, at);
  return bytes;
}
