import type { Json, StructuralSchema } from './structural-schema.js';
import { isJsonObject, memberSchema } from './structural-schema.js';

const TYPE_META = new Set(['apiVersion', 'kind', 'metadata']);

type Schemas = Readonly<Record<string, StructuralSchema>>;

/** Whether a null is dropped or gives way to a default (apply-defaults.ts). */
const isStrayNull = (value: unknown, { nullable }: StructuralSchema): boolean =>
  value === null && nullable !== true;

const lacksDefault = (value: Json, properties: Schemas): boolean =>
  Object.entries(properties).some(
    ([key, member]) => member.default !== undefined && value[key] === undefined,
  );

/**
 * True only of what pruning, dropping nulls and defaulting would leave as it is. To look is all that most stored objects need, and
 * copies nothing; what this says no to may still be right.
 */
class Look {
  constructor(private readonly keepsAll: boolean) {}

  fits(value: unknown, schema: StructuralSchema): boolean {
    if (Array.isArray(value)) {
      const { items } = schema;
      return !items || value.every((item) => this.fits(item, items));
    }
    return !isJsonObject(value) || this.objectFits(value, schema);
  }

  objectFits(value: Json, schema: StructuralSchema, isTop = false): boolean {
    if (lacksDefault(value, schema.properties ?? {})) return false;
    const keepsUnknown = this.keepsAll || schema['x-kubernetes-preserve-unknown-fields'] === true;
    const isResource = isTop || schema['x-kubernetes-embedded-resource'] === true;
    for (const key of Object.keys(value)) {
      const known = memberSchema(schema, key);
      const isOfServer = isResource && TYPE_META.has(key);
      if (!known) {
        if (keepsUnknown || isOfServer) continue;
        return false;
      }
      const member = value[key];
      if (isStrayNull(member, known)) return false;
      // Nothing is pruned of type and metadata.
      const look = isOfServer ? KEEPING : this;
      if (typeof member === 'object' && !look.fits(member, known)) return false;
    }
    return true;
  }
}

const KEEPING = new Look(true);

/** Whether a stored object needs nothing to be served; `keepsAll`: its definition prunes nothing. */
export const isAsServed = (object: Json, schema: StructuralSchema, keepsAll: boolean): boolean =>
  new Look(keepsAll).objectFits(object, schema, true);
