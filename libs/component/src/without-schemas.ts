/** Fastify's types for these are those of the packages that are not loaded here. */
const buildValidator = (() => () => () => true) as never;
const buildSerializer = (() => () => (value: unknown) => JSON.stringify(value)) as never;

/**
 * Options for Fastify: no route here has a schema, and its compilers of schemas, which it would make at every start, take longer
 * to load than it does itself.
 */
export const WITHOUT_SCHEMAS: {
  readonly schemaController: {
    readonly compilersFactory: { readonly buildValidator: never; readonly buildSerializer: never };
  };
} = { schemaController: { compilersFactory: { buildValidator, buildSerializer } } };
