import type { KubeObject, StatusError } from '@orrery/apimachinery';
import {
  DecodeError,
  FieldPath,
  MAX_VALUES,
  applyMergePatch,
  applyStrategicMergePatch,
  decodeJson,
  duplicateFieldsOf,
  goValue,
  invalid,
  jsonPatchSteps,
  newBadRequest,
  newInvalid,
} from '@orrery/apimachinery';
import { cloneJson } from '@orrery/registry';
import { mediaTypeOf, unsupported } from '../negotiation/decode-body.js';
import { schemas } from '../negotiation/schemas.js';
import { apply } from './apply.js';
import type { Call } from './call.js';
import { createCallOf, isApply } from './call.js';
import { inSteps, pauseFor } from './pauses.js';
import { checkFields } from './read-body.js';
import { sendObject } from './respond.js';
import { strategyFor } from './subresource-strategy.js';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

/** A JSON patch of too many operations is told so; each has up to five values. */
const MAX_PATCH_VALUES = 10 * MAX_VALUES;

function parsePatch(call: Call): unknown {
  const type = mediaTypeOf(call.request.headers['content-type']);
  const maxValues = type === JSON_PATCH ? MAX_PATCH_VALUES : MAX_VALUES;
  try {
    return decodeJson(call.request.body, { maxValues }).value;
  } catch (error) {
    if (error instanceof DecodeError)
      throw newBadRequest(`error decoding patch: ${error.message}`, error);
    throw error;
  }
}

/** The document that the request's patch makes of `document`; shares nothing with it. */
export async function patchedDocument(
  call: Call,
  document: KubeObject,
  schema: string,
): Promise<KubeObject> {
  const type = mediaTypeOf(call.request.headers['content-type']);
  const isCustom = call.resource.custom !== undefined && schema === '';
  const patch = parsePatch(call);
  await pauseFor(call).pause?.();
  if (type === JSON_PATCH) return asObject(await inSteps(call, jsonPatchSteps(document, patch)));
  if (type === MERGE_PATCH) return asObject(cloneJson(applyMergePatch(document, patch)));
  if (type === STRATEGIC && !isCustom)
    return asObject(applyStrategicMergePatch(cloneJson(document), patch, schemas(), schema));
  throw unsupported(type, [JSON_PATCH, MERGE_PATCH, ...(isCustom ? [] : [STRATEGIC]), APPLY]);
}

function asObject(value: unknown): KubeObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw newBadRequest('the patch does not leave an object');
  const object = value as Partial<KubeObject>;
  object.metadata ??= {};
  return object as KubeObject;
}

const isStrategic = ({ request }: Call): boolean =>
  mediaTypeOf(request.headers['content-type']) === STRATEGIC;

/** What a patch leads to cannot be decoded (k8s apiserver pkg/endpoints/handlers/patch.go:applyPatchToCurrentObject). */
function refusePatch(call: Call, patched: KubeObject, problem: string): StatusError {
  const shown = isStrategic(call) ? goValue(parsePatch(call)) : JSON.stringify(patched);
  return newInvalid({ group: '', kind: '' }, '', [invalid(FieldPath.of('patch'), shown, problem)]);
}

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
      const patched = await patchedDocument(call, current ?? { metadata: {} }, schema);
      await pauseFor(call).pause?.();
      const duplicates = isJsonPatch ? [] : duplicateFieldsOf(request.body);
      await pauseFor(call).pause?.();
      return checkFields(call, patched, {
        duplicates,
        isConverted: isStrategic(call),
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
