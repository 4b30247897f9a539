import { compileCheck } from './check-fields.js';
import type { FieldCheck, FieldProblems } from './check-fields.js';
import { compileNormalizer } from './normalize.js';
import type { Normalizer } from './normalize.js';
import { refName } from './schema.js';
import type { Schema } from './schema.js';

/** Finds definitions: what the compilers and the patch engines need of a registry. */
export interface SchemaLookup {
  definition(name: string): Schema | undefined;
  /** Follows $ref until a schema with content; extensions beside the $ref win. */
  deref(schema: Schema | undefined): Schema | undefined;
}

/** What is stored as it came has one owner (client-go applyconfigurations/internal/internal.go: `__untyped_atomic_`). */
const isRaw = (ref: string): boolean => ref.endsWith('.runtime.RawExtension');
const ATOMIC: Schema = { 'x-kubernetes-map-type': 'atomic' };

/** The schemas of all kinds, with compiled checks; one instance per set of definitions. */
export class SchemaRegistry implements SchemaLookup {
  private readonly checks = new Map<string, FieldCheck>();
  private readonly normalizers = new Map<string, Normalizer>();
  /** Where schemas with a $ref lead to. */
  private readonly targets = new WeakMap<Schema, { readonly schema: Schema | undefined }>();

  /**
   * `hasStructs`: Go has structs for these schemas, whose required fields and those with a default are there even when nobody
   * gave them; nothing of a custom resource is.
   */
  constructor(
    private readonly definitions: Readonly<Record<string, Schema>>,
    readonly hasStructs = true,
  ) {}

  names(): string[] {
    return Object.keys(this.definitions);
  }

  definition(name: string): Schema | undefined {
    return Object.hasOwn(this.definitions, name) ? this.definitions[name] : undefined;
  }

  /** The definition of that name; throws when there is none. */
  resolve(name: string): Schema {
    const schema = this.definition(name);
    if (!schema) throw new Error(`no schema named ${name}`);
    return schema;
  }

  deref(schema: Schema | undefined): Schema | undefined {
    if (schema?.$ref === undefined) return schema;
    let known = this.targets.get(schema);
    if (!known) this.targets.set(schema, (known = { schema: this.follow(schema) }));
    return known.schema;
  }

  private follow(schema: Schema): Schema | undefined {
    let current: Schema | undefined = schema;
    for (let hops = 0; current?.$ref !== undefined && hops < 16; hops += 1) {
      const { $ref, ...own }: Schema & { readonly $ref?: string } = current;
      const target: Schema | undefined = this.definition(refName($ref));
      current = target && { ...target, ...(isRaw($ref) ? ATOMIC : {}), ...own };
    }
    return current;
  }

  /** The schema of a field; undefined when the schema has no such field. */
  field(schema: Schema | undefined, name: string): Schema | undefined {
    const resolved = this.deref(schema);
    const { properties, additionalProperties } = resolved ?? {};
    if (properties && Object.hasOwn(properties, name)) return this.deref(properties[name]);
    return typeof additionalProperties === 'object' ? this.deref(additionalProperties) : undefined;
  }

  /** Follows property names from a definition: `lookup('…Deployment', 'spec', 'template')`; lists step into items. */
  lookup(name: string, ...path: readonly string[]): Schema | undefined {
    let schema = this.definition(name);
    for (const step of path) {
      const resolved: Schema | undefined = this.deref(schema);
      schema = this.field(resolved?.items ?? resolved, step);
    }
    return this.deref(schema);
  }

  /** Unknown fields (paths) and the first type error (Go's decode text) of an object. */
  checkFields(object: unknown, name: string): FieldProblems {
    let check = this.checks.get(name);
    if (!check) {
      this.resolve(name);
      check = compileCheck(this, name);
      this.checks.set(name, check);
    }
    return check(object);
  }

  /** A copy without unknown fields and nulls, as Go's decoding would give. */
  normalize<T>(object: T, name: string): T {
    let normalizer = this.normalizers.get(name);
    if (!normalizer) {
      this.resolve(name);
      normalizer = compileNormalizer(this, name);
      this.normalizers.set(name, normalizer);
    }
    return normalizer(object) as T;
  }
}
