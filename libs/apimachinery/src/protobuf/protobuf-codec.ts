import { Reader, Root, Writer } from 'protobufjs';
import type { INamespace } from 'protobufjs';
import { parseApiVersion } from '../object.js';
import type { SchemaLookup } from '../schema/schema-registry.js';
import type { Steps } from '../steps.js';
import { MessageCompiler } from './message-compiler.js';
import type { MessageConverter } from './message-compiler.js';
import { ProtobufError, UnknownMessageError } from './protobuf-error.js';
import { TypeMismatch } from './wire-types.js';

export const PROTOBUF_MEDIA_TYPE = 'application/vnd.kubernetes.protobuf';

const MAGIC = Buffer.from('k8s\0', 'latin1');
const UNKNOWN = 'k8s.io.apimachinery.pkg.runtime.Unknown';
const META = 'k8s.io.apimachinery.pkg.apis.meta.v1';

/** Where the messages of groups live that are not part of k8s.io/api. */
const HOMES: ReadonlyMap<string, string> = new Map([
  ['apiextensions.k8s.io', 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions'],
  ['apiregistration.k8s.io', 'k8s.io.kube_aggregator.pkg.apis.apiregistration'],
]);

export interface DecodedProtobuf {
  readonly apiVersion: string;
  readonly kind: string;
  /** As upstream's JSON, apiVersion and kind included. */
  readonly object: Record<string, unknown>;
}

/** Kubernetes objects as `k8s\0` + runtime.Unknown, from and to their JSON form. */
export class ProtobufCodec {
  private readonly messages: MessageCompiler;

  /** `root` is a protobufjs root as JSON; schemas tell inlined fields and JSON names. */
  constructor(root: object, schemas: SchemaLookup) {
    this.messages = new MessageCompiler(Root.fromJSON(root as INamespace), schemas);
  }

  /** Whether the kind has a message; kinds of CustomResourceDefinitions have none. */
  supports(apiVersion: string, kind: string): boolean {
    return this.messageName(apiVersion, kind) !== undefined;
  }

  /** Reads an envelope; throws {@link ProtobufError} for anything malformed. */
  decode(bytes: Uint8Array): DecodedProtobuf {
    refuseOutline(bytes);
    return guarded(() => {
      const { apiVersion, kind, raw } = readEnvelope(bytes.subarray(MAGIC.length));
      const reader = Reader.create(raw);
      this.messages.begin();
      const object = this.converter(apiVersion, kind).readBody(reader, 0, { kind, apiVersion });
      return { apiVersion, kind, object };
    });
  }

  /** Writes the envelope of an object, named by its own apiVersion and kind. */
  encode(object: object): Buffer {
    return guarded(() => this.envelope(object));
  }

  /**
   * The envelope of a list, in pieces and in steps: at least one for each item. `list` is all of it but the items; in every
   * list of upstream these are the second and last field of the message. An item that is undefined is none, but a step.
   */
  *encodeListSteps(list: object, items: Iterable<object | undefined>): Steps<Buffer[]> {
    const { apiVersion, kind } = typeOf(list);
    const item = guarded(() => this.converter(apiVersion, kind.replace(/List$/, '')));
    const chunks = [guarded(() => this.body(list, apiVersion, kind))];
    for (const one of items) {
      if (one !== undefined) {
        const writer = Writer.create().uint32(18).fork();
        const steps = item.writeBodySteps(writer, one);
        while (!guarded(() => steps.next()).done) yield;
        chunks.push(Buffer.from(writer.ldelim().finish()));
      }
      yield;
    }
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return [envelopeHead(apiVersion, kind, size), ...chunks, ENVELOPE_END];
  }

  /** One frame of a watch stream: 4 bytes of big-endian length, then a WatchEvent. */
  encodeWatchFrame(type: string, object: object): Buffer {
    return guarded(() => {
      const writer = Writer.create().uint32(10).string(type);
      writer.uint32(18).fork().uint32(10).bytes(this.envelope(object)).ldelim();
      const body = Buffer.from(writer.finish());
      const frame = Buffer.alloc(4 + body.length);
      frame.writeUInt32BE(body.length, 0);
      body.copy(frame, 4);
      return frame;
    });
  }

  /** The inverse of {@link encodeWatchFrame} for one whole frame. */
  decodeWatchFrame(frame: Uint8Array): { type: string; object: Record<string, unknown> } {
    return guarded(() => {
      const reader = Reader.create(frame.subarray(4));
      let [type, raw] = ['', new Uint8Array()];
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        if (tag === 10) type = reader.string();
        else if (tag === 18) raw = firstBytes(reader.bytes());
        else reader.skipType(tag & 7);
      }
      return { type, object: this.decode(raw).object };
    });
  }

  private envelope(object: object): Buffer {
    const { apiVersion, kind } = typeOf(object);
    const body = this.body(object, apiVersion, kind);
    return Buffer.concat([envelopeHead(apiVersion, kind, body.length), body, ENVELOPE_END]);
  }

  private body(object: object, apiVersion: string, kind: string): Buffer {
    const body = Writer.create();
    this.converter(apiVersion, kind).writeBody(body, object, 0);
    return Buffer.from(body.finish());
  }

  private converter(apiVersion: string, kind: string): MessageConverter {
    const name = this.messageName(apiVersion, kind);
    if (name === undefined) throw new UnknownMessageError(apiVersion, kind);
    return this.messages.message(name);
  }

  private messageName(apiVersion: string, kind: string): string | undefined {
    if (!/^[A-Za-z0-9]+$/.test(kind)) return undefined;
    const { group, version } = parseApiVersion(apiVersion);
    const first = group.split('.')[0] ?? '';
    const home = HOMES.get(group) ?? `k8s.io.api.${first === '' ? 'core' : first}`;
    return [`${home}.${version}.${kind}`, `${META}.${kind}`].find((name) =>
      this.messages.has(name),
    );
  }
}

function typeOf(object: object): { apiVersion: string; kind: string } {
  const { apiVersion, kind } = object as { apiVersion?: unknown; kind?: unknown };
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw new ProtobufError('the object has no apiVersion or kind');
  return { apiVersion, kind };
}

/** What stands before an object of so many bytes. */
function envelopeHead(apiVersion: string, kind: string, size: number): Buffer {
  const writer = Writer.create();
  writer.uint32(10).fork().uint32(10).string(apiVersion).uint32(18).string(kind).ldelim();
  return Buffer.concat([MAGIC, writer.uint32(18).uint32(size).finish()]);
}

/** Unknown's contentEncoding and contentType, both empty. */
const ENVELOPE_END = Buffer.from([26, 0, 34, 0]);

/** apimachinery pkg/runtime/serializer/protobuf/protobuf.go:Decode */
function refuseOutline(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new ProtobufError('empty data');
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length)))
    throw new ProtobufError(
      `provided data does not appear to be a protobuf message, expected prefix [${[...MAGIC].join(' ')}]`,
    );
  if (bytes.length === MAGIC.length) throw new ProtobufError('empty body');
}

function firstBytes(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const reader = Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) return new Uint8Array(reader.bytes());
    reader.skipType(tag & 7);
  }
  return new Uint8Array();
}

function readEnvelope(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  const reader = Reader.create(bytes);
  let [apiVersion, kind] = ['', ''];
  let raw: Uint8Array = new Uint8Array();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) {
      const meta = Reader.create(reader.bytes());
      while (meta.pos < meta.len) {
        const inner = meta.uint32();
        if (inner === 10) apiVersion = meta.string();
        else if (inner === 18) kind = meta.string();
        else meta.skipType(inner & 7);
      }
    } else if (tag === 18) raw = reader.bytes();
    else reader.skipType(tag & 7);
  }
  if (apiVersion === '' || kind === '') throw new ProtobufError(`${UNKNOWN} has no type`);
  return { apiVersion, kind, raw };
}

/** protobufjs reports hostile bytes as RangeError or Error: one typed error leaves this module. */
function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ProtobufError) throw error;
    if (error instanceof TypeMismatch || error instanceof RangeError || isLibraryError(error)) {
      throw new ProtobufError(`proto: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** protobufjs throws plain Errors; ours and the language's are subclasses. */
const isLibraryError = (error: unknown): error is Error =>
  error instanceof Error && error.constructor === Error;
