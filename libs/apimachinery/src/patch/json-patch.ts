import { applyPatch, Pointer } from 'rfc6902';
import type { Operation } from 'rfc6902';
import { cloneJson } from '../clone-json.js';
import { MAX_VALUES } from '../codec/decode-error.js';
import { newBadRequest, StatusError } from '../status-error.js';
import { finish } from '../steps.js';
import type { Steps } from '../steps.js';

export const MAX_OPERATIONS = 10_000;
const MAX_COPIED_BYTES = 3 * 1024 * 1024;
const UNSAFE = ['__proto__', 'constructor', 'prototype'];
const KINDS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

const rejected = (cause: unknown): StatusError =>
  new StatusError(
    422,
    'Invalid',
    'the server rejected our request due to an error in our request',
    { details: {}, cause },
  );

/** RFC 6902 on a copy of the document; failures are the StatusErrors the API server answers with. */
export const applyJsonPatch = (document: unknown, patch: unknown): unknown =>
  finish(jsonPatchSteps(document, patch));

/** Operations of one step, and bytes that they may copy. */
const STEP = 200;
const COPIED_STEP = 64 * 1024;

/** The same in steps. */
export function* jsonPatchSteps(document: unknown, patch: unknown): Steps<unknown> {
  if (!Array.isArray(patch)) {
    throw newBadRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  }
  if (patch.length > MAX_OPERATIONS) {
    throw new StatusError(
      413,
      'RequestEntityTooLarge',
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  const holder: { root: unknown } = { root: cloneJson(document) };
  const copied = { bytes: 0, values: 0 };
  let [done, told] = [0, 0];
  for (const operation of patch.map(readOperation)) {
    done += 1;
    if (done % STEP === 0 || copied.bytes - told > COPIED_STEP) {
      told = copied.bytes;
      yield;
    }
    refuseInherited(holder.root, operation.path);
    if ('from' in operation) refuseInherited(holder.root, operation.from);
    if (operation.op === 'copy') {
      const text = textAt(holder.root, operation.from);
      copied.bytes += text.length;
      copied.values += text.match(/[,[{]/g)?.length ?? 0;
      if (copied.bytes > MAX_COPIED_BYTES || copied.values > MAX_VALUES)
        throw rejected('copies are too large');
    }
    const failure = apply(holder, underRoot(operation));
    if (failure) throw rejected(failure);
  }
  return holder.root;
}

/** What an object has of its prototype, and the length of a list, is no part of the document. */
function refuseInherited(document: unknown, pointer: string): void {
  let value = document;
  for (const token of Pointer.fromJSON(pointer).tokens.slice(1)) {
    if (typeof value !== 'object' || value === null) throw rejected('no such path');
    const isIndex = !Array.isArray(value) || /^(?:-|\d+)$/.test(token);
    if (!isIndex || (token in value && !Object.hasOwn(value, token)))
      throw rejected('no such path');
    value = (value as Record<string, unknown>)[token];
  }
}

/** The library's error for an operation; it prints values, and one whose `toString` is data cannot be printed. */
function apply(holder: object, operation: Operation): unknown {
  try {
    return applyPatch(holder, [operation])[0];
  } catch (error) {
    if (error instanceof TypeError) return error;
    throw error;
  }
}

/** Everything happens below one holder, so that the whole document can be replaced too. */
function underRoot(operation: Operation): Operation {
  const path = `/root${operation.path}`;
  return 'from' in operation
    ? { ...operation, path, from: `/root${operation.from}` }
    : { ...operation, path };
}

function readOperation(given: unknown): Operation {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw newBadRequest('json: cannot unmarshal array into Go value of type jsonpatch.Operation');
  }
  const { op, path, from, value } = given as Record<string, unknown>;
  if (typeof op !== 'string' || !KINDS.includes(op)) throw rejected('unknown operation');
  if (!isSafePointer(path)) throw rejected('bad path');
  if (op === 'remove') return { op, path };
  if (op === 'move' || op === 'copy') {
    if (!isSafePointer(from)) throw rejected('bad from');
    return { op, path, from };
  }
  // Without a value it is null (evanphx/json-patch.v4 patch.go:value).
  return { op, path, value: value ?? null } as Operation;
}

function isSafePointer(pointer: unknown): pointer is string {
  return (
    typeof pointer === 'string' &&
    (pointer === '' || pointer.startsWith('/')) &&
    pointer.split('/').every((token) => !UNSAFE.includes(token))
  );
}

function textAt(document: unknown, pointer: string): string {
  const value: unknown = Pointer.fromJSON(pointer).get(document);
  return value === undefined ? '' : JSON.stringify(value);
}
