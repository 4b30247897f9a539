/** One OpenAPI definition or property, with Kubernetes' extensions (gen/schemas.json of @orrery/api). */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
}

export type PatchStrategy = 'merge' | 'replace' | 'retainKeys';

const REF = '#/definitions/';
export const refName = (ref: string): string => (ref.startsWith(REF) ? ref.slice(REF.length) : ref);

/** `Deployment` of `io.k8s.api.apps.v1.Deployment`: the Go type's name. */
export const goTypeName = (schemaName: string): string =>
  schemaName.slice(schemaName.lastIndexOf('.') + 1);

/** The strategies of a field, from its patch-strategy extension. */
export function patchStrategies(field: Schema | undefined): readonly PatchStrategy[] {
  const text = field?.['x-kubernetes-patch-strategy'] ?? '';
  return text.split(',').filter((s): s is PatchStrategy => s !== '');
}

/** A type that is a struct or something else, which its own code decodes; the schema says nothing of it. */
export interface Union {
  /** The struct's definition. */
  readonly of: string;
  readonly others: 'boolean' | 'list' | 'strings';
}

const UNIONS: readonly (readonly [suffix: string, others: Union['others']])[] = [
  ['OrBool', 'boolean'],
  ['OrArray', 'list'],
  ['OrStringArray', 'strings'],
];

/** k8s apiextensions-apiserver pkg/apis/apiextensions/v1/marshal.go. */
export function unionOf(definition: string): Union | undefined {
  const found = UNIONS.find(([suffix]) => definition.endsWith(`.JSONSchemaProps${suffix}`));
  return found && { of: definition.slice(0, -found[0].length), others: found[1] };
}

/** Structs of Go without any field; others of which the schema says as little can be anything. */
const EMPTY_STRUCT = /\.CustomResourceSubresourceStatus$/;

/** The schema of a definition. */
export function structOf(
  schemas: { definition(name: string): Schema | undefined },
  name: string,
): Schema | undefined {
  const schema = schemas.definition(name);
  return EMPTY_STRUCT.test(name) ? { ...schema, properties: {} } : schema;
}
