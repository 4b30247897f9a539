import { schemaRegistry } from '@orrery/api';
import type { SchemaRegistry } from '@orrery/apimachinery';

/** The schemas of the built-in kinds, read when first needed. */
export const schemas = (): SchemaRegistry => schemaRegistry();
