import { cloneSteps } from '../clone-json.js';
import { setOwn } from '../schema/normalize.js';
import { newBadRequest } from '../status-error.js';
import { finish } from '../steps.js';
import type { Steps } from '../steps.js';

export type PlainObject = Record<string, unknown>;

export const isPlainObject = (value: unknown): value is PlainObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const own = (object: PlainObject, key: string): unknown =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/** RFC 7386: a new value; neither argument is changed. Keys are plain data whatever their name. */
export const applyMergePatch = (document: unknown, patch: unknown): unknown =>
  finish(mergePatchSteps(document, patch));

/** The same in steps. */
export function* mergePatchSteps(document: unknown, patch: unknown): Steps<unknown> {
  const merged = mergeInto(document, patch);
  yield;
  return yield* cloneSteps(merged);
}

/** What was not changed is shared with the arguments. */
function mergeInto(document: unknown, patch: unknown): unknown {
  if (!isPlainObject(patch)) return patch;
  const base = isPlainObject(document) ? document : {};
  const result: PlainObject = {};
  for (const key of Object.keys(base))
    if (!Object.hasOwn(patch, key)) setOwn(result, key, base[key]);
  for (const key of Object.keys(patch)) {
    const change = patch[key];
    if (change !== null) setOwn(result, key, mergeInto(own(base, key), change));
  }
  return result;
}

/** A merge or strategic patch must be an object. */
export function requireObjectPatch(patch: unknown): PlainObject {
  if (isPlainObject(patch)) return patch;
  const shown = Array.isArray(patch) ? 'array' : typeof patch;
  throw newBadRequest(
    `json: cannot unmarshal ${shown} into Go value of type map[string]interface {}`,
  );
}
