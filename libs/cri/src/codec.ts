import { readFileSync } from 'node:fs';
import { MessageType, enumType, scalarOf } from './message-type.js';
import type { FieldDefinition, ValueType } from './message-type.js';

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

interface MethodDefinition {
  readonly requestType: string;
  readonly responseType: string;
  readonly responseStream?: boolean;
}

/** One of these: a service, an enum or a message. */
interface Definition {
  readonly methods?: Readonly<Record<string, MethodDefinition>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly fields?: Readonly<Record<string, FieldDefinition>>;
  /** What a message has within it. */
  readonly nested?: Readonly<Record<string, Definition>>;
}

interface Definitions {
  readonly nested: {
    readonly runtime: {
      readonly nested: {
        readonly v1: { readonly nested: Readonly<Record<string, Definition>> };
      };
    };
  };
}

let loaded: Readonly<Record<string, Definition>> | undefined;
const types = new Map<string, ValueType>();

function definitions(): Readonly<Record<string, Definition>> {
  if (loaded) return loaded;
  const text = readFileSync(new URL('./gen/cri.json', import.meta.url), 'utf8');
  loaded = (JSON.parse(text) as Definitions).nested.runtime.nested.v1.nested;
  return loaded;
}

function definitionOf(name: string): Definition {
  const definition = definitions()[name];
  if (!definition) throw new TypeError(`${PACKAGE} has no ${name}`);
  return definition;
}

function typeOf(definition: Definition): ValueType {
  const { values, fields = {}, nested = {} } = definition;
  if (values) return enumType(values);
  return new MessageType(fields, (type, field) => {
    const own = nested[type];
    return scalarOf(type, field) ?? (own ? typeOf(own) : namedType(type));
  });
}

function namedType(name: string): ValueType {
  let type = types.get(name);
  if (!type) types.set(name, (type = typeOf(definitionOf(name))));
  return type;
}

/** The codec of a message of runtime.v1. */
export function codecOf(name: string): MessageCodec {
  const type = namedType(name) as MessageType;
  return {
    encode: (message) => type.encode(message),
    decode: (bytes) => type.decode(bytes),
  };
}

/** The RPCs of a service of runtime.v1, in the order of its definition. */
export function rpcsOf(service: ServiceName): readonly Rpc[] {
  return Object.entries(definitionOf(service).methods ?? {}).map(
    ([name, { requestType, responseType, responseStream = false }]) => ({
      method: name.charAt(0).toLowerCase() + name.slice(1),
      name,
      path: `/${PACKAGE}.${service}/${name}`,
      streaming: responseStream,
      request: codecOf(requestType),
      response: codecOf(responseType),
    }),
  );
}

/** The names of all messages, for specs. */
export const messageNames = (): string[] =>
  Object.entries(definitions()).flatMap(([name, { fields }]) => (fields ? [name] : []));
