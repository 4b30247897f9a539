import type { KubeObject } from '@orrery/apimachinery';
import { toApiVersion } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { Entry } from '@orrery/storage';

/** One object as a client sees it: parsed, and as JSON ready for the wire. Immutable. */
export interface Representation {
  readonly object: KubeObject;
  readonly bytes: Buffer;
  /** Offset of the first field behind kind and apiVersion in `bytes`; 1 = it does not lead with them. */
  readonly typeEnd: number;
}

/** Wire order: kind, apiVersion, metadata, then the rest as it came. */
export function encodeObject(object: KubeObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata, ...rest }));
}

/** A representation of an object that is not stored as such (dry run, conversion, older state). */
export function represent(object: KubeObject): Representation {
  const head = JSON.stringify({ kind: object.kind, apiVersion: object.apiVersion });
  return { object, bytes: encodeObject(object), typeEnd: Buffer.byteLength(head) };
}

const converted = new WeakMap<Entry, Map<KindDescriptor, Representation>>();

/** What a client of `kind` sees of a stored entry; conversions are made once per entry and kept. */
export function representationOf(kind: KindDescriptor, entry: Entry): Representation {
  const conversion = kind.storageConversion;
  if (!conversion) return entry;
  let byKind = converted.get(entry);
  if (!byKind) converted.set(entry, (byKind = new Map()));
  let made = byKind.get(kind);
  if (!made) {
    const object = conversion.fromStorage(entry.object);
    made =
      object === entry.object
        ? entry
        : represent({
            ...object,
            kind: kind.kind,
            apiVersion: toApiVersion(kind.group, kind.version),
          });
    byKind.set(kind, made);
  }
  return made;
}

/** The value to store: without resourceVersion, in the stored shape. */
export function encodeForStorage(kind: KindDescriptor, object: KubeObject): Buffer {
  const stored = kind.storageConversion
    ? {
        ...kind.storageConversion.toStorage(object),
        kind: kind.storageConversion.kind,
        apiVersion: toApiVersion(kind.storageConversion.group, kind.storageConversion.version),
      }
    : object;
  const metadata = { ...stored.metadata };
  delete metadata.resourceVersion;
  delete metadata.selfLink;
  return encodeObject({ ...stored, metadata });
}
