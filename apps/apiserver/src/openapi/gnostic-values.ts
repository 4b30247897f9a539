export type Json = Record<string, unknown>;

export const asRecord = (value: unknown): Json => (value ?? {}) as Json;
export const asList = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

/** Free values travel as YAML text; JSON is YAML. */
export const any = (value: unknown): Json => ({ yaml: JSON.stringify(value) });

export const extensions = (object: Json): Json[] =>
  Object.keys(object)
    .filter((key) => key.startsWith('x-'))
    .map((key) => ({ name: key, value: any(object[key]) }));
