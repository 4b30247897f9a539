import type { Schema, SchemaRegistry } from '@orrery/apimachinery';
import type { CelType, ObjectField } from '@orrery/cel';
import { celTypes, escapeName, listOf, mapOf } from '@orrery/cel';

const FORMATS: Readonly<Record<string, CelType>> = {
  'date-time': celTypes.timestamp,
  date: celTypes.timestamp,
  duration: celTypes.duration,
  byte: celTypes.bytes,
};

const SCALARS: Readonly<Record<string, CelType>> = {
  boolean: celTypes.bool,
  integer: celTypes.int,
  number: celTypes.double,
};

/** The types of expressions for the schemas of one registry; definitions that contain themselves are no trouble. */
export class KindTypes {
  private readonly known = new Map<string, CelType>();

  constructor(private readonly registry: SchemaRegistry) {}

  /** The type of `object` for a definition. */
  of(definition: string): CelType {
    return this.named(definition);
  }

  private named(name: string): CelType {
    const known = this.known.get(name);
    if (known) return known;
    const schema = this.registry.definition(name);
    return schema ? this.typeOf(schema, name) : celTypes.dyn;
  }

  private typeOf(schema: Schema, name: string): CelType {
    if (schema.$ref !== undefined) return this.named(schema.$ref.replace('#/definitions/', ''));
    const { type, format = '', properties, additionalProperties, items } = schema;
    if (format === 'int-or-string') return celTypes.dyn;
    if (type === 'string') return FORMATS[format] ?? celTypes.string;
    if (type === 'array') return items ? listOf(this.typeOf(items, `${name}.@idx`)) : celTypes.dyn;
    if (typeof additionalProperties === 'object')
      return mapOf(celTypes.string, this.typeOf(additionalProperties, `${name}.@elem`));
    if (properties) return this.objectOf(properties, name);
    return SCALARS[type ?? ''] ?? celTypes.dyn;
  }

  private objectOf(properties: Readonly<Record<string, Schema>>, name: string): CelType {
    const fields = new Map<string, ObjectField>();
    const made: CelType = { kind: 'object', name, fields };
    // Known before its fields are, since these may lead back to it.
    this.known.set(name, made);
    for (const [jsonName, member] of Object.entries(properties)) {
      const escaped = escapeName(jsonName);
      if (escaped === undefined) continue;
      const type = this.typeOf(member, `${name}.${jsonName}`);
      fields.set(escaped, { type, jsonName, required: false });
    }
    return made;
  }
}
