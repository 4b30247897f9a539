import type { KubeObject } from '@orrery/apimachinery';
import {
  DecodeError,
  FieldPath,
  applyPatch,
  decodeYaml,
  newApplyConflict,
  newBadRequest,
  newInvalid,
  required,
  toApiVersion,
} from '@orrery/apimachinery';
import { toTime } from '@orrery/component';
import { cloneJson } from '@orrery/registry';
import { checkKind, mediaTypeOf } from '../negotiation/decode-body.js';
import type { Call } from './call.js';
import { booleanOf, createCallOf } from './call.js';
import { fieldSchemasOf, managerOf } from './field-manager.js';
import { checkFields } from './read-body.js';
import { sendObject } from './respond.js';
import { strategyFor } from './subresource-strategy.js';

/** True for a server-side apply. */
export const isApply = (call: Call): boolean =>
  mediaTypeOf(call.request.headers['content-type']) === 'application/apply-patch+yaml';

function parse(call: Call): unknown {
  try {
    return decodeYaml(call.request.body).value;
  } catch (error) {
    if (error instanceof DecodeError)
      throw newBadRequest(`error decoding YAML: ${error.message}`, error);
    throw error;
  }
}

/** The configuration that is applied: only what its author names, under the name in the URL. */
function readConfiguration(call: Call): KubeObject {
  const { kind } = call.resource;
  const object = checkFields(call, checkKind(parse(call), kind));
  const { metadata } = object;
  const { name, namespace } = call.request.info;
  metadata.name ??= name;
  if (kind.scope === 'Namespaced' && namespace !== '') metadata.namespace ??= namespace;
  if (metadata.managedFields !== undefined && metadata.managedFields.length > 0)
    throw newBadRequest('metadata.managedFields must be nil');
  return object;
}

function requireManager(call: Call): string {
  if ((call.request.query.get('fieldManager') ?? '') === '') {
    throw newInvalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      required(FieldPath.of('fieldManager'), 'is required for apply patch'),
    ]);
  }
  return managerOf(call);
}

/** Server-side apply: merges the configuration into the object, which is created when there is none. */
export async function apply(call: Call): Promise<void> {
  const { request, resource } = call;
  const { kind } = resource;
  const manager = requireManager(call);
  const patch = readConfiguration(call);
  const { track: _track, ...options } = createCallOf(call, 'PatchOptions');
  const { subresource } = request.info;
  const result = await resource.store.update(
    (live) => {
      const { uid } = patch.metadata;
      const applied = applyPatch({
        manager,
        registry: fieldSchemasOf(call),
        schemaName: kind.schema,
        apiVersion: toApiVersion(kind.group, kind.version),
        ...(subresource ? { subresource } : {}),
        now: toTime(request.context.receivedAt),
        live,
        patch,
        force: booleanOf(request.query, 'force') ?? false,
      });
      if (applied.conflicts) throw newApplyConflict(applied.conflicts);
      const object = cloneJson(applied.object);
      if (uid === undefined && !live) delete object.metadata.uid;
      return object;
    },
    { ...options, name: request.info.name, ...strategyFor(call), createWhenAbsent: true },
  );
  await sendObject(call, result.representation, result.created ? 201 : 200);
}
