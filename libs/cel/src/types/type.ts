export type SimpleKind =
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'dyn'
  | 'any'
  | 'error';

export interface SimpleType {
  readonly kind: SimpleKind;
  /** Most characters or bytes there can be; absent = not known. */
  readonly maxSize?: number;
}

export interface ListType {
  readonly kind: 'list';
  readonly element: CelType;
  readonly maxSize?: number;
  /** x-kubernetes-list-type of the schema: what equality and `+` mean. */
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly mapKeys?: readonly string[];
}

export interface MapType {
  readonly kind: 'map';
  readonly key: CelType;
  readonly value: CelType;
  readonly maxSize?: number;
}

export interface ObjectField {
  readonly type: CelType;
  /** The name in JSON, before it was escaped to be an identifier. */
  readonly jsonName: string;
  readonly required: boolean;
}

/** An object with known fields; `fields` by escaped name. */
export interface ObjectType {
  readonly kind: 'object';
  readonly name: string;
  readonly fields: ReadonlyMap<string, ObjectField>;
}

/** A type of a library (optional_type, net.IP …), with its parameters. */
export interface OpaqueType {
  readonly kind: 'opaque';
  readonly name: string;
  readonly params: readonly CelType[];
}

export interface TypeType {
  readonly kind: 'type';
  readonly of?: CelType;
}

/** A parameter of a function's signature, or a variable of the checker. */
export interface TypeParam {
  readonly kind: 'param';
  readonly name: string;
}

export type CelType =
  SimpleType | ListType | MapType | ObjectType | OpaqueType | TypeType | TypeParam;

export const OPTIONAL = 'optional_type';

const simple = (kind: SimpleKind): SimpleType => ({ kind });

/** The types without parts. */
export const celTypes = {
  null: simple('null'),
  bool: simple('bool'),
  int: simple('int'),
  uint: simple('uint'),
  double: simple('double'),
  string: simple('string'),
  bytes: simple('bytes'),
  timestamp: simple('timestamp'),
  duration: simple('duration'),
  dyn: simple('dyn'),
  any: simple('any'),
  error: simple('error'),
} as const;

export const listOf = (element: CelType): ListType => ({ kind: 'list', element });
export const mapOf = (key: CelType, value: CelType): MapType => ({ kind: 'map', key, value });
export const opaque = (name: string, ...params: readonly CelType[]): OpaqueType => ({
  kind: 'opaque',
  name,
  params,
});
export const optionalOf = (inner: CelType): OpaqueType => opaque(OPTIONAL, inner);

/** cel-go checker/format.go:FormatCELType. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'error':
      return '!error!';
    case 'list':
      return `list(${formatType(type.element)})`;
    case 'map':
      return `map(${formatType(type.key)}, ${formatType(type.value)})`;
    case 'object':
    case 'param':
      return type.name;
    case 'opaque':
      return type.params.length === 0
        ? type.name
        : `${type.name}(${type.params.map(formatType).join(', ')})`;
    case 'type':
      return type.of ? `type(${formatType(type.of)})` : 'type';
    default:
      return type.kind;
  }
}

export const isDyn = ({ kind }: CelType): boolean =>
  kind === 'dyn' || kind === 'any' || kind === 'error';
