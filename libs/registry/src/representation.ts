import type { KubeObject, Steps } from '@orrery/apimachinery';
import { cloneJson, toApiVersion } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import { kinds, removedKinds } from '@orrery/api';
import type { Entry } from '@orrery/storage';

/** One object as a client sees it: parsed, and as JSON ready for the wire. Immutable. */
export interface Representation {
  readonly object: KubeObject;
  readonly bytes: Buffer;
  /** Offset of the first field behind kind and apiVersion in `bytes`; 1 = it does not lead with them. */
  readonly typeEnd: number;
  /** {@link Entry.readSteps} */
  readSteps?(wanted: 'sound' | 'object'): Steps<KubeObject> | undefined;
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

const storedGroupVersion = ({ storageConversion, group, version }: KindDescriptor): string =>
  storageConversion
    ? toApiVersion(storageConversion.group, storageConversion.version)
    : toApiVersion(group, version);

/** Kinds that convert to what is stored, by `group/version/kind`: other API servers may have stored objects as these. */
const storedOtherwise = new Map(
  [...kinds, ...removedKinds]
    .filter(({ storageConversion }) => storageConversion)
    .map((kind) => [`${toApiVersion(kind.group, kind.version)}/${kind.kind}`, kind]),
);

/** The object in the version in which this server stores it. */
function inStoredVersion(kind: KindDescriptor, object: KubeObject): KubeObject {
  const wanted = storedGroupVersion(kind);
  if (object.apiVersion === wanted) return object;
  const other = storedOtherwise.get(`${object.apiVersion ?? ''}/${object.kind ?? ''}`);
  if (other?.storagePrefix !== kind.storagePrefix || !other.storageConversion) return object;
  if (storedGroupVersion(other) !== wanted) return object;
  const stored = cloneJson(object);
  other.setDefaults?.(stored);
  const { group, version, kind: name } = other.storageConversion;
  const made = other.storageConversion.toStorage(stored);
  return { ...made, kind: name, apiVersion: toApiVersion(group, version) };
}

const heads = new WeakMap<KindDescriptor, Buffer>();

/** True when the value begins as this server writes it: nothing else is looked at, since every read asks. */
function isStoredAs(kind: KindDescriptor, { bytes, typeEnd }: Entry): boolean {
  let head = heads.get(kind);
  if (!head) {
    const type = { kind: kind.kind, apiVersion: toApiVersion(kind.group, kind.version) };
    heads.set(kind, (head = Buffer.from(JSON.stringify(type).slice(0, -1))));
  }
  if (typeEnd !== head.length && typeEnd !== head.length + 1) return false;
  return bytes.compare(head, 0, head.length, 0, head.length) === 0;
}

const converted = new WeakMap<Entry, Map<KindDescriptor, Representation>>();

function convertedFor(kind: KindDescriptor, entry: Entry): Representation {
  const stored = inStoredVersion(kind, entry.object);
  const object = kind.storageConversion?.fromStorage(stored) ?? stored;
  if (object === entry.object) return entry;
  return represent({
    ...object,
    kind: kind.kind,
    apiVersion: toApiVersion(kind.group, kind.version),
  });
}

/** What a client of `kind` sees of a stored entry; conversions are made once per entry and kept. */
export function representationOf(kind: KindDescriptor, entry: Entry): Representation {
  if (!kind.storageConversion && isStoredAs(kind, entry)) return entry;
  let byKind = converted.get(entry);
  if (!byKind) converted.set(entry, (byKind = new Map()));
  let made = byKind.get(kind);
  if (!made) byKind.set(kind, (made = convertedFor(kind, entry)));
  return made;
}

/** Fields of an object that are written one by one, and characters of one that is a piece of work of its own. */
const MAX_PARTS = 100;
const LARGE_PART = 16 * 1024;

/** What is written of an object. */
export interface Storable {
  /** The value: without resourceVersion, in the stored shape. */
  readonly value: Buffer;
  /** What parsing the value would give (WriteOptions.object); undefined where the object holds something that JSON has not. */
  readonly object: KubeObject | undefined;
}

/** True when an object is what parsing its JSON would give: nothing undefined in it, and nothing that writes itself otherwise. */
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (Array.isArray(value)) return value.every(isPlain);
      if (Object.getPrototypeOf(value) !== Object.prototype) return false;
      for (const key in value) if (!isPlain((value as Record<string, unknown>)[key])) return false;
      return true;
    default:
      return false;
  }
}

/** What is stored of an object: all but itself and its metadata it shares with `object`, which nobody may change any more. */
function storedShape(kind: KindDescriptor, object: KubeObject): KubeObject {
  const converted = kind.storageConversion
    ? {
        ...kind.storageConversion.toStorage(object),
        kind: kind.storageConversion.kind,
        apiVersion: toApiVersion(kind.storageConversion.group, kind.storageConversion.version),
      }
    : object;
  const { kind: name, apiVersion, metadata: given, ...rest } = converted;
  const { resourceVersion: _version, selfLink: _link, ...metadata } = given;
  return { kind: name, apiVersion, metadata, ...rest } as KubeObject;
}

/** The value and the object to store. */
export function toStorable(kind: KindDescriptor, object: KubeObject): Storable {
  const stored = storedShape(kind, object);
  const value = Buffer.from(JSON.stringify(stored));
  return { value, object: isPlain(stored) ? stored : undefined };
}

/** The same of a large object, with a turn for others between its parts. */
export async function toStorableSlowly(
  kind: KindDescriptor,
  object: KubeObject,
  pause: () => Promise<void>,
): Promise<Storable> {
  const stored = storedShape(kind, object);
  const texts: string[] = [];
  for (const [key, value] of Object.entries(stored)) {
    const text = await stringifySlowly(value, pause);
    if (text !== undefined) texts.push(`${JSON.stringify(key)}:${text}`);
  }
  const value = Buffer.from(`{${texts.join(',')}}`);
  await pause();
  return { value, object: isPlain(stored) ? stored : undefined };
}

/** A field as JSON; the fields and lists right below it one by one. */
async function stringifySlowly(
  value: unknown,
  pause: () => Promise<void>,
): Promise<string | undefined> {
  const isOpen = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isOpen || 'toJSON' in value) return JSON.stringify(value) as string | undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(fields);
  // A map of very many small fields is faster written at once.
  if (keys.length > MAX_PARTS) {
    const text = JSON.stringify(value);
    await pause();
    return text;
  }
  const texts: string[] = [];
  for (const key of keys) {
    const text = JSON.stringify(fields[key]) as string | undefined;
    if (text === undefined) continue;
    texts.push(`${JSON.stringify(key)}:${text}`);
    if (text.length > LARGE_PART) await pause();
  }
  return `{${texts.join(',')}}`;
}
