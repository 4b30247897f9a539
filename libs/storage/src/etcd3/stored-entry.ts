import { parseJsonSteps } from '@orrery/apimachinery';
import type { KubeObject, Steps } from '@orrery/apimachinery';

import type { Seal } from '../encryption/seal.js';
import { isEncrypted } from '../encryption/resource-values.js';
import { StorageError } from '../storage-error.js';
import type { Entry } from '../storage.js';
import { findSplicePoint, insertAt, resourceVersionField } from './splice.js';

/** Bytes from which on a value is parsed in steps where somebody can wait. */
const LARGE = 128 * 1024;

const FREEZE = process.env['NODE_ENV'] === 'test';

export interface StoredState {
  readonly key: string;
  readonly revision: number;
  readonly createRevision: number;
  readonly value: Buffer;
  /** The value is known to be an object in JSON: it was written just now. */
  readonly isSound?: boolean;
  /** How it is stored, where values are encrypted. */
  readonly seal?: Seal | undefined;
  /** What the value says, where its writer still has it (WriteOptions.object): it need not be parsed. */
  readonly object?: KubeObject | undefined;
}

interface SharedParsing {
  readonly steps: Steps<KubeObject>;
  object: KubeObject | undefined;
}

/**
 * An Entry that keeps one buffer: the stored value until `bytes` is asked for, the spliced bytes from then on. The parsed object
 * takes several times as much, so it stays only while somebody else holds it or until the next full garbage collection.
 */
export class StoredEntry implements Entry {
  readonly key: string;
  readonly revision: number;
  readonly createRevision: number;
  private buffer: Buffer;
  /** Length of the spliced field; 0 = `buffer` is still the stored value; -1 = `original` holds it. */
  private fieldLength = 0;
  private fieldAt = 0;
  private typePrefix = 1;
  private original: Buffer | undefined;
  private parsed: WeakRef<KubeObject> | undefined;
  /** The parsing in steps that is under way, as long as somebody goes on with it. */
  private parsing: WeakRef<SharedParsing> | undefined;
  private isSound: boolean;
  private readonly seal: Seal | undefined;

  constructor(state: StoredState) {
    this.key = state.key;
    this.revision = state.revision;
    this.createRevision = state.createRevision;
    this.buffer = state.value;
    this.isSound = state.isSound ?? false;
    this.seal = state.seal;
    if (state.object) this.adopt(state.object);
  }

  get isStale(): boolean {
    return this.seal !== undefined && !this.seal.isCurrent;
  }

  get value(): Buffer {
    if (this.fieldLength === 0) return this.buffer;
    if (this.original) return this.original;
    const { buffer, fieldAt } = this;
    return Buffer.concat([
      buffer.subarray(0, fieldAt),
      buffer.subarray(fieldAt + this.fieldLength),
    ]);
  }

  get bytes(): Buffer {
    if (this.fieldLength === 0) this.splice();
    if (!this.isSound) this.check();
    return this.buffer;
  }

  get typeEnd(): number {
    if (this.fieldLength === 0) this.splice();
    return this.typePrefix;
  }

  get object(): KubeObject {
    const known = this.parsed?.deref();
    if (known) return known;
    const object = this.parse();
    this.parsed = new WeakRef(object);
    return object;
  }

  readSteps(wanted: 'sound' | 'object'): Steps<KubeObject> | undefined {
    const isKnown = wanted === 'sound' ? this.isSound : this.parsed?.deref() !== undefined;
    return isKnown || this.buffer.length <= LARGE ? undefined : this.parseSlowly();
  }

  /** The same state as seen at another revision: what a deletion answers. */
  at(revision: number): StoredEntry {
    return new StoredEntry({ ...this.state(), revision });
  }

  /** Lets go of the network message that the value is a part of, by making `bytes` now. */
  detach(): this {
    if (this.fieldLength !== 0) return this;
    try {
      this.splice();
    } catch {
      // Whoever reads the corrupt value gets the error; the cache must go on.
      this.buffer = Buffer.from(this.buffer);
    }
    return this;
  }

  /** True when `value` is what is stored; copies nothing. */
  holds(value: Buffer): boolean {
    const { buffer, fieldAt, fieldLength, original } = this;
    if (fieldLength <= 0) return (original ?? buffer).equals(value);
    const behind = fieldAt + fieldLength;
    return (
      buffer.length - fieldLength === value.length &&
      buffer.compare(value, 0, fieldAt, 0, fieldAt) === 0 &&
      buffer.compare(value, fieldAt, value.length, behind, buffer.length) === 0
    );
  }

  /** The value was written by this process: it need not be looked at. */
  trust(): void {
    this.isSound = true;
  }

  /** Bytes held. */
  get size(): number {
    return this.buffer.length;
  }

  private state(): StoredState {
    const { key, revision, createRevision, value, isSound, seal } = this;
    return { key, revision, createRevision, value, isSound, seal };
  }

  /** Bytes that nobody has parsed are passed on as they are: what is no JSON would reach clients. Once a state. */
  private check(): void {
    this.decode(this.buffer);
    this.isSound = true;
  }

  private splice(): void {
    const point = findSplicePoint(this.buffer);
    if (point) {
      const field = resourceVersionField(this.revision, point.comma);
      this.buffer = insertAt(this.buffer, point.at, field);
      this.fieldAt = point.at;
      this.fieldLength = field.length;
      this.typePrefix = point.typeEnd;
      return;
    }
    this.original = this.buffer;
    this.buffer = Buffer.from(JSON.stringify(this.object));
    this.fieldLength = -1;
  }

  private decode(value: Buffer): KubeObject {
    this.refuseSealed(value);
    return decode(this.key, value);
  }

  private refuseSealed(value: Buffer): void {
    const { key, seal } = this;
    const problem =
      seal?.problem ??
      (isEncrypted(value) ? 'identity transformer tried to read encrypted data' : undefined);
    if (problem !== undefined)
      throw new StorageError('corrupt', `unable to transform key "${key}": ${problem}`, { key });
  }

  /** A write has one revision; what has another one already is of another write. */
  private adopt(object: KubeObject): void {
    const { metadata } = object;
    const revision = String(this.revision);
    if (metadata.resourceVersion === undefined) {
      metadata.resourceVersion = revision;
      if (FREEZE) deepFreeze(object);
    }
    if (metadata.resourceVersion === revision) this.parsed = new WeakRef(object);
  }

  private parse(): KubeObject {
    return this.finish(this.decode(this.fieldLength === 0 ? this.buffer : this.value));
  }

  /** All who need it at once parse one object together: of a large one, each would hold a copy until they are done. */
  private *parseSlowly(): Steps<KubeObject> {
    let shared = this.parsing?.deref();
    if (!shared)
      this.parsing = new WeakRef((shared = { steps: this.parseSteps(), object: undefined }));
    while (!shared.object) {
      // Somebody may have parsed it in one go meanwhile.
      const known = this.parsed?.deref();
      if (known) return known;
      const { done, value } = shared.steps.next();
      // Nothing is what it comes to for all but the one whom it told of an error.
      if (done) shared.object = (value as KubeObject | undefined) ?? this.parse();
      else yield;
    }
    this.parsing = undefined;
    const known = this.parsed?.deref() ?? shared.object;
    this.parsed = new WeakRef(known);
    return known;
  }

  private *parseSteps(): Steps<KubeObject> {
    const value = this.fieldLength === 0 ? this.buffer : this.value;
    try {
      this.refuseSealed(value);
      return this.finish(yield* decodeSteps(this.key, value));
    } catch (error) {
      this.parsing = undefined;
      throw error;
    }
  }

  private finish(object: KubeObject): KubeObject {
    this.isSound = true;
    object.metadata.resourceVersion = String(this.revision);
    return FREEZE ? deepFreeze(object) : object;
  }
}

function decode(key: string, value: Buffer): KubeObject {
  try {
    return asObject(key, JSON.parse(value.toString('utf8')));
  } catch (cause) {
    throw notJson(key, cause);
  }
}

/** {@link decode} of a large value in steps. */
function* decodeSteps(key: string, value: Buffer): Steps<KubeObject> {
  try {
    return asObject(key, yield* parseJsonSteps(value));
  } catch (cause) {
    throw notJson(key, cause);
  }
}

const notJson = (key: string, cause: unknown): unknown =>
  cause instanceof SyntaxError
    ? new StorageError('corrupt', `the value stored at ${key} is not JSON`, { key, cause })
    : cause;

function asObject(key: string, object: unknown): KubeObject {
  if (!isKubeObject(object)) {
    throw new StorageError('corrupt', `the value stored at ${key} is not a Kubernetes object`, {
      key,
    });
  }
  return object;
}

function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return false;
  return typeof value.metadata === 'object' && value.metadata !== null;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
