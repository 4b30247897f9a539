import type { KubeObject, StatusError } from '@orrery/apimachinery';
import {
  DecodeError,
  FieldPath,
  MAX_VALUES,
  decodeJson,
  decodeListSteps,
  duplicateFieldsOf,
  goValue,
  invalid,
  jsonPatchSteps,
  mergePatchSteps,
  newBadRequest,
  newInvalid,
  strategicMergePatchSteps,
  unknownPatchFields,
} from '@orrery/apimachinery';
import {
  customPatchProblem,
  patchedKindProblem,
  refuseOtherKind,
} from '../negotiation/body-kind.js';
import { mediaTypeOf, unsupported } from '../negotiation/decode-body.js';
import { schemas } from '../negotiation/schemas.js';
import { apply } from './apply.js';
import type { Call } from './call.js';
import { createCallOf, isApply } from './call.js';
import { inSteps, pauseFor } from './pauses.js';
import { checkFields, ignoresFields } from './read-body.js';
import { sendObject } from './respond.js';
import {
  APPLY_PATCH as APPLY,
  JSON_PATCH,
  MERGE_PATCH,
  STRATEGIC_PATCH as STRATEGIC,
} from './rules/media-types.js';
import { strategyFor } from './subresource-strategy.js';

/** A JSON patch of too many operations is told so; each has up to five values. */
const MAX_PATCH_VALUES = 10 * MAX_VALUES;

function parsePatch(call: Call): unknown {
  const type = mediaTypeOf(call.request.headers['content-type']);
  const maxValues = type === JSON_PATCH ? MAX_PATCH_VALUES : MAX_VALUES;
  try {
    return decodeJson(call.request.body, { maxValues }).value;
  } catch (error) {
    throw toRefusal(error);
  }
}

const toRefusal = (error: unknown): unknown =>
  error instanceof DecodeError
    ? newBadRequest(`error decoding patch: ${error.message}`, error)
    : error;

/** As {@link parsePatch}; a JSON patch may have a hundred thousand operations, which are counted before they are refused. */
async function parsePatchInTurns(call: Call): Promise<unknown> {
  if (mediaTypeOf(call.request.headers['content-type']) !== JSON_PATCH) return parsePatch(call);
  try {
    const steps = decodeListSteps(call.request.body, { maxValues: MAX_PATCH_VALUES });
    return await inSteps(call, steps);
  } catch (error) {
    throw toRefusal(error);
  }
}

/** What the body says is to be changed. */
export async function readPatch(call: Call): Promise<unknown> {
  await pauseFor(call).pause?.();
  const patch = await parsePatchInTurns(call);
  await pauseFor(call).pause?.();
  return patch;
}

/** The document that the request's patch makes of `document`; shares nothing with it. */
export async function patchedDocument(
  call: Call,
  document: KubeObject,
  schema: string,
  patch: unknown,
): Promise<KubeObject> {
  const type = mediaTypeOf(call.request.headers['content-type']);
  const isCustom = call.resource.custom !== undefined && schema === '';
  if (type === JSON_PATCH) {
    const steps = jsonPatchSteps(document, patch, { given: !ignoresFields(call.request) });
    return asObject(await inSteps(call, steps));
  }
  if (type === MERGE_PATCH) {
    refuseMergePatch(patch);
    return asObject(await inSteps(call, mergePatchSteps(document, patch)));
  }
  if (type === STRATEGIC && !isCustom) {
    const steps = strategicMergePatchSteps(document, patch, schemas(), schema);
    return asObject(await inSteps(call, steps));
  }
  throw unsupported(type, [JSON_PATCH, MERGE_PATCH, ...(isCustom ? [] : [STRATEGIC]), APPLY]);
}

/** apiserver pkg/endpoints/handlers/patch.go:applyJSPatch, and what evanphx/json-patch says of null. */
function refuseMergePatch(patch: unknown): void {
  if (patch === null) throw newBadRequest('Invalid JSON Patch');
  if (typeof patch === 'object' && !Array.isArray(patch)) return;
  const type = typeof patch === 'boolean' ? 'bool' : typeof patch;
  throw newBadRequest(
    `error decoding patch: json: cannot unmarshal ${Array.isArray(patch) ? 'array' : type} into Go value of type map[string]interface {}`,
  );
}

function asObject(value: unknown): KubeObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw newBadRequest('the patch does not leave an object');
  const object = value as Partial<KubeObject>;
  object.metadata ??= {};
  return object as KubeObject;
}

export const isStrategic = ({ request }: Call): boolean =>
  mediaTypeOf(request.headers['content-type']) === STRATEGIC;

/** As evanphx/json-patch writes a document: the fields at its top by name. */
const sortedText = (document: KubeObject): string =>
  JSON.stringify(Object.fromEntries(Object.entries(document).sort(([a], [b]) => (a < b ? -1 : 1))));

/** What a patch leads to cannot be decoded (k8s apiserver pkg/endpoints/handlers/patch.go:applyPatchToCurrentObject). */
export function refusePatch(call: Call, patched: KubeObject, problem: string): StatusError {
  const shown = isStrategic(call) ? goValue(parsePatch(call)) : sortedText(patched);
  return newInvalid({ group: '', kind: '' }, '', [invalid(FieldPath.of('patch'), shown, problem)]);
}

/** A patch may not make another kind of the object; a strategic one is not looked at, as its result is never decoded. */
function refuseOtherKindOf(call: Call, patched: KubeObject): void {
  const { kind, custom } = call.resource;
  if (!custom && isStrategic(call)) return;
  const problem = custom ? customPatchProblem(patched) : patchedKindProblem(patched, kind);
  if (problem !== undefined) throw refusePatch(call, patched, problem);
  if (custom) refuseOtherKind(patched, kind);
}

/** What is wrong with the operations themselves (k8s …/handlers/patch.go:applyJSPatch). */
const ofOperations = (
  duplicates: readonly string[],
  patch: unknown,
): { readonly before: readonly string[] } => {
  const told = (what: string) => (path: string) => ({
    at: Number(/^\[(\d+)\]/u.exec(path)?.[1]),
    text: `json patch ${what} field ${JSON.stringify(path)}`,
  });
  const all = [
    ...duplicates.map(told('duplicate')),
    ...unknownPatchFields(patch).map(told('unknown')),
  ];
  return { before: all.sort((a, b) => a.at - b.at).map(({ text }) => text) };
};

/** PATCH of an object or of its status. */
export async function patch(call: Call): Promise<void> {
  if (isApply(call)) {
    await apply(call);
    return;
  }
  const { request, resource } = call;
  const schema = resource.custom ? '' : resource.kind.schema;
  const isJsonPatch = mediaTypeOf(request.headers['content-type']) === JSON_PATCH;
  const result = await resource.store.update(
    async (current) => {
      const read = await readPatch(call);
      const patched = await patchedDocument(call, current ?? { metadata: {} }, schema, read);
      await pauseFor(call).pause?.();
      refuseOtherKindOf(call, patched);
      const duplicates = duplicateFieldsOf(request.body);
      await pauseFor(call).pause?.();
      return checkFields(call, patched, {
        ...(isJsonPatch ? ofOperations(duplicates, read) : { duplicates }),
        isConverted: isStrategic(call),
        wasMaps: !isStrategic(call),
        refuse: (problem) => refusePatch(call, patched, problem),
      });
    },
    {
      ...createCallOf(call, 'PatchOptions'),
      name: request.info.name,
      ...strategyFor(call),
    },
  );
  await sendObject(call, result.representation, result.created ? 201 : 200);
}
