import type { KubeObject, SchemaRegistry } from '@orrery/apimachinery';
import type { CustomResourceDefinition, KindDescriptor } from '@orrery/api';
import { schemaRegistry } from '@orrery/api';

/** What the server knows of one served version of a CustomResourceDefinition. */
export interface CustomKind {
  readonly kind: KindDescriptor;
  /** Name of the CustomResourceDefinition. */
  readonly definition: string;
  /** The definition, where its webhook converts between versions. */
  readonly convertedBy?: CustomResourceDefinition;
  /** OpenAPI v3 schema of the version, as published. */
  readonly openApiSchema: Record<string, unknown> | undefined;
  /** The published definition with what it refers to: for field ownership. */
  readonly schemas: SchemaRegistry;
  /** Removes what the structural schema does not know; answers the paths of the removed fields. Mutates. */
  prune(object: KubeObject): readonly string[];
  /** Decodes what is embedded; answers the paths of unknown fields, or hands `refuse` the reason. Mutates. */
  coerce(object: KubeObject, refuse: (reason: string) => never): readonly string[];
}

const registries = new WeakMap<KindDescriptor, () => SchemaRegistry>();

/** To be called where a custom kind is made. */
export function rememberSchemas(kind: KindDescriptor, schemas: () => SchemaRegistry): void {
  registries.set(kind, schemas);
}

/** The schemas that a kind's own refers to: those of its definition, or the built-in ones. */
export const schemasOf = (kind: KindDescriptor): SchemaRegistry =>
  registries.get(kind)?.() ?? schemaRegistry();
