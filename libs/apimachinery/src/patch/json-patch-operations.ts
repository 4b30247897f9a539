import { newBadRequest } from '../status-error.js';

/** One operation as it is sent; what it lacks, and what is null, is absent. */
export interface PatchOperation {
  readonly op: string;
  readonly path?: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** What a JSON value is called in Go's errors. */
export function goTypeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

const cannotRead = (value: unknown, into: string): string =>
  `json: cannot unmarshal ${goTypeName(value)} into Go ${into}`;

const TEXTS = ['op', 'path', 'from'] as const;
const NAMES: readonly string[] = [...TEXTS, 'value'];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Types of what a client sent (k8s apiserver pkg/endpoints/handlers/patch.go:jsonPatchOp); undefined = as they should be. */
function typeProblem(patch: unknown): string | undefined {
  if (patch === null) return undefined;
  if (!Array.isArray(patch)) return cannotRead(patch, 'value of type []handlers.jsonPatchOp');
  for (const operation of patch as unknown[]) {
    if (operation === null) continue;
    if (!isObject(operation)) return cannotRead(operation, 'value of type handlers.jsonPatchOp');
    const wrong = TEXTS.find((name) => !['string', 'undefined'].includes(kindOf(operation, name)));
    if (wrong !== undefined)
      return cannotRead(operation[wrong], `struct field jsonPatchOp.${wrong} of type string`);
  }
  return undefined;
}

/** The type of a member; null is as good as none. */
const kindOf = (operation: Readonly<Record<string, unknown>>, name: string): string =>
  Object.hasOwn(operation, name) && operation[name] !== null ? typeof operation[name] : 'undefined';

const textOf = (operation: Readonly<Record<string, unknown>>, name: string): string | undefined =>
  kindOf(operation, name) === 'string' ? (operation[name] as string) : undefined;

function readOperation(operation: unknown): PatchOperation {
  if (operation === null) return { op: 'unknown' };
  if (!isObject(operation))
    throw newBadRequest(cannotRead(operation, 'value of type jsonpatch.Operation'));
  const [path, from] = [textOf(operation, 'path'), textOf(operation, 'from')];
  return {
    op: textOf(operation, 'op') ?? 'unknown',
    ...(path === undefined ? {} : { path }),
    ...(from === undefined ? {} : { from }),
    ...(Object.hasOwn(operation, 'value') ? { value: operation['value'] } : {}),
  };
}

/** The operations of a patch; `isTyped` where the types of their fields are judged first. Throws 400. */
export function readOperations(patch: unknown, isTyped: boolean): PatchOperation[] {
  const problem = isTyped ? typeProblem(patch) : undefined;
  if (problem !== undefined) throw newBadRequest(`error decoding patch: ${problem}`);
  if (patch === null) return [];
  if (!Array.isArray(patch))
    throw newBadRequest(cannotRead(patch, 'value of type jsonpatch.Patch'));
  return (patch as unknown[]).map(readOperation);
}

/** Paths of fields that operations do not have, those that are no list or no object aside. */
export const unknownPatchFields = (patch: unknown): string[] =>
  !Array.isArray(patch)
    ? []
    : (patch as unknown[]).flatMap((operation, i) =>
        isObject(operation)
          ? Object.keys(operation)
              .filter((name) => !NAMES.includes(name))
              .map((name) => `[${i}].${name}`)
          : [],
      );
