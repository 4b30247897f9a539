import type { KubeObject } from '@orrery/apimachinery';
import { StatusError, newBadRequest } from '@orrery/apimachinery';
import { cloneJson } from '@orrery/registry';
import { mediaTypeOf } from '../negotiation/decode-body.js';
import type { Call } from './call.js';
import { createCallOf } from './call.js';
import { checkFields } from './read-body.js';
import { sendObject } from './respond.js';
import { strategyFor } from './subresource-strategy.js';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7386. Changes `target`. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? target : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

function parsePatch(call: Call): unknown {
  try {
    return JSON.parse(call.request.body.toString('utf8')) as unknown;
  } catch (error) {
    throw newBadRequest(
      `error decoding patch: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}

function transformFor(call: Call): (current: KubeObject) => KubeObject {
  const type = mediaTypeOf(call.request.headers['content-type']);
  const patch = parsePatch(call);
  switch (type) {
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return (current) => mergePatch(cloneJson(current), patch) as KubeObject;
    default:
      throw new StatusError(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml`,
      );
  }
}

/** The document that the request's patch makes of `document`. */
export async function patchedDocument(
  call: Call,
  document: KubeObject,
  schema: string,
): Promise<KubeObject> {
  void schema;
  return Promise.resolve(transformFor(call)(document));
}

/** PATCH of an object or of its status. */
export async function patch(call: Call): Promise<void> {
  const { request, resource } = call;
  const apply = transformFor(call);
  const result = await resource.store.update(
    (current) => checkFields(call, apply(current ?? { metadata: {} })),
    {
      ...createCallOf(call, 'UpdateOptions'),
      name: request.info.name,
      ...strategyFor(call),
    },
  );
  await sendObject(call, result.representation, result.created ? 201 : 200);
}
