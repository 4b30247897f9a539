import { readFileSync } from 'node:fs';
import Long from 'long';
import protobuf from 'protobufjs';
import type { Field, Root, Type } from 'protobufjs';

/** One RPC as gRPC needs it. */
export interface Rpc {
  /** The method's name in our interfaces: `runPodSandbox`. */
  readonly method: string;
  /** The name on the wire: `RunPodSandbox`. */
  readonly name: string;
  readonly path: string;
  readonly streaming: boolean;
  readonly request: MessageCodec;
  readonly response: MessageCodec;
}

export interface MessageCodec {
  readonly encode: (message: object) => Buffer;
  readonly decode: (bytes: Uint8Array) => object;
}

export type ServiceName = 'RuntimeService' | 'ImageService';

const PACKAGE = 'runtime.v1';

/** Nanoseconds since the epoch stay decimal strings; other 64-bit integers become numbers (see tools/generate.mjs). */
const NANOSECONDS = new Set(['createdAt', 'startedAt', 'finishedAt', 'timestamp']);
const WIDE = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);

const TO_OBJECT = { longs: String, enums: String, defaults: true, arrays: true, objects: true };

let loaded: Root | undefined;

function root(): Root {
  if (loaded) return loaded;
  // Without it protobufjs reads 64-bit decimal strings as doubles; it finds `long` by itself only in plain CommonJS.
  protobuf.util.Long = Long;
  protobuf.configure();
  const text = readFileSync(new URL('./gen/cri.json', import.meta.url), 'utf8');
  loaded = protobuf.Root.fromJSON(JSON.parse(text) as Parameters<typeof protobuf.Root.fromJSON>[0]);
  loaded.resolveAll();
  return loaded;
}

type Fix = (object: Record<string, unknown>) => void;
const fixes = new Map<Type, Fix>();

function fixOf(type: Type): Fix {
  const known = fixes.get(type);
  if (known) return known;
  let steps: readonly Fix[] | undefined;
  const fix: Fix = (object) => {
    steps ??= type.fieldsArray.flatMap((field) => stepOf(field.resolve()));
    for (const step of steps) step(object);
  };
  fixes.set(type, fix);
  return fix;
}

function stepOf(field: Field): readonly Fix[] {
  const { name } = field;
  if (field.resolvedType instanceof protobuf.Type) {
    const fix = fixOf(field.resolvedType);
    if (field.repeated)
      return [
        (object) => {
          for (const item of object[name] as Record<string, unknown>[]) fix(item);
        },
      ];
    return [
      (object) => {
        if (object[name] === null) delete object[name];
        else fix(object[name] as Record<string, unknown>);
      },
    ];
  }
  if (!WIDE.has(field.type) || NANOSECONDS.has(name)) return [];
  return [
    (object) => {
      const value = object[name];
      object[name] = Array.isArray(value) ? value.map(Number) : Number(value);
    },
  ];
}

function codecOf(type: Type): MessageCodec {
  const fix = fixOf(type);
  return {
    encode: (message) => Buffer.from(type.encode(type.fromObject(message)).finish()),
    decode: (bytes) => {
      const object = type.toObject(type.decode(bytes), TO_OBJECT);
      fix(object);
      return object;
    },
  };
}

/** The RPCs of a service of runtime.v1, in the order of its definition. */
export function rpcsOf(service: ServiceName): readonly Rpc[] {
  const definition = root().lookupService(`${PACKAGE}.${service}`);
  return definition.methodsArray.map((method) => {
    method.resolve();
    const { resolvedRequestType: request, resolvedResponseType: response } = method;
    if (!request || !response) throw new TypeError(`${service}.${method.name} has no types`);
    return {
      method: method.name.charAt(0).toLowerCase() + method.name.slice(1),
      name: method.name,
      path: `/${PACKAGE}.${service}/${method.name}`,
      streaming: method.responseStream === true,
      request: codecOf(request),
      response: codecOf(response),
    };
  });
}
