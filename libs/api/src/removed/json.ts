import { own } from '../meta/list.js';

/** Fields of an object whose shape depends on its version. */
export type Json = Record<string, unknown>;

/** The fields of a value; of anything that is no object, none. */
export const fieldsOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object without the fields that are undefined. */
export const defined = (object: Json): Json =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/** The object without some of its fields. */
export const without = (object: Json, ...names: readonly string[]): Json =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** The object with other names for some of its fields; what is called by the new name already gives way. */
export function renamed(object: Json, names: Readonly<Record<string, string>>): Json {
  const taken = new Set(
    Object.entries(names)
      .filter(([from]) => object[from] !== undefined)
      .map(([, to]) => to),
  );
  return Object.fromEntries(
    Object.entries(object)
      .filter(([name]) => !(taken.has(name) && own(names, name) === undefined))
      .map(([name, value]) => [own(names, name) ?? name, value]),
  );
}

/** The object with one field made anew; a field that is absent or null stays so. */
export function changed(object: Json, name: string, change: (value: unknown) => unknown): Json {
  const value = object[name];
  return value === undefined || value === null ? object : { ...object, [name]: change(value) };
}

/** As {@link changed}, for the object below a field. */
export const changedFields = (object: Json, name: string, change: (value: Json) => Json): Json =>
  changed(object, name, (value) => (isObject(value) ? change(value) : value));

/** As {@link changed}, for each object in the list below a field. */
export const changedItems = (object: Json, name: string, change: (item: Json) => Json): Json =>
  changed(object, name, (value) =>
    Array.isArray(value)
      ? value.map((item: unknown) => (isObject(item) ? change(item) : item))
      : value,
  );

export const reversed = (names: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(names).map(([from, to]) => [to, from]));
