import { cloneJson } from '../clone-json.js';
import { MAX_VALUES } from '../codec/decode-error.js';
import { deepEqual } from '../equality.js';
import { StatusError } from '../status-error.js';
import { finish } from '../steps.js';
import type { Steps } from '../steps.js';
import { goTypeName, readOperations } from './json-patch-operations.js';
import type { PatchOperation } from './json-patch-operations.js';
import { NoSuchPlace, addTo, cursorAt, removeFrom, replaceIn, valueIn } from './json-pointer.js';
import type { Document } from './json-pointer.js';

export const MAX_OPERATIONS = 10_000;
const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

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

/**
 * The same in steps, by the rules of evanphx/json-patch.v4 patch.go:Patch.Apply: negative indices count from the end, `replace` and
 * `copy` take what is not there for null. `given` is what a client sent, read by its fields' types first.
 */
export function* jsonPatchSteps(
  document: unknown,
  patch: unknown,
  { given = false }: { readonly given?: boolean } = {},
): Steps<unknown> {
  const operations = readOperations(patch, given);
  if (operations.length > MAX_OPERATIONS) {
    throw new StatusError(
      413,
      'RequestEntityTooLarge',
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`,
    );
  }
  const holder: Document = { root: cloneJson(document) };
  const copied = { bytes: 0, values: 0 };
  let [done, told] = [0, 0];
  for (const operation of operations) {
    done += 1;
    if (done % STEP === 0 || copied.bytes - told > COPIED_STEP) {
      told = copied.bytes;
      yield;
    }
    try {
      perform(holder, operation, copied);
    } catch (error) {
      throw error instanceof RangeError
        ? rejected(new RangeError(reasonOf(operation, error)))
        : error;
    }
  }
  return holder.root;
}

/** What the library says of an operation that cannot be done. */
function reasonOf({ op, path = '' }: PatchOperation, error: RangeError): string {
  if (error instanceof NoSuchPlace) {
    const shown = op === 'add' || op === 'remove' ? `"${path}"` : path;
    return `${op} operation does not apply: doc is missing path: ${shown}: missing value`;
  }
  if (op === 'replace')
    return `replace operation does not apply: doc is missing key: ${path}: missing value`;
  return op === 'test' || !OPERATIONS.includes(op)
    ? error.message
    : `error in ${op} for path: '${path}': ${error.message}`;
}

interface Copied {
  bytes: number;
  values: number;
}

/** Throws a RangeError with the reason where the operation does not fit the document. */
function perform(holder: Document, operation: PatchOperation, copied: Copied): void {
  const { op, from, value = null } = operation;
  const path = operation.path ?? fail('operation missing path field: missing value');
  switch (op) {
    case 'add':
      return addTo(cursorAt(holder, path), value);
    case 'remove':
      return removeFrom(cursorAt(holder, path));
    case 'replace':
      if (path === '') return replaceRoot(holder, value);
      return replaceIn(cursorAt(holder, path), value);
    case 'test':
      return test(holder, path, value);
    case 'move':
    case 'copy': {
      const source = cursorAt(holder, from ?? fail('operation, missing from field: missing value'));
      const found = valueIn(source) ?? null;
      if (op === 'copy') return addTo(cursorAt(holder, path), counted(found, copied));
      removeFrom(source);
      return addTo(cursorAt(holder, path), found);
    }
    default:
      return fail(`Unexpected kind: ${op}`);
  }
}

function test(holder: Document, path: string, value: unknown): void {
  const found = path === '' ? holder.root : (valueIn(cursorAt(holder, path)) ?? null);
  if (!deepEqual(found, value)) fail(`testing value ${path} failed: test failed`);
}

function replaceRoot(holder: Document, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    fail(`replace operation value must be object or array, not ${goTypeName(value)}`);
  holder.root = cloneJson(value);
}

/** A copy of its own, as long as all copies together are not too large. */
function counted(value: unknown, copied: Copied): unknown {
  const text = JSON.stringify(value);
  copied.bytes += text.length;
  copied.values += text.match(/[,[{]/g)?.length ?? 0;
  if (copied.bytes > MAX_COPIED_BYTES || copied.values > MAX_VALUES) fail('copies are too large');
  return cloneJson(value);
}

function fail(reason: string): never {
  throw new RangeError(reason);
}
