import type { KubeObject } from '@orrery/apimachinery';
import {
  DecodeError,
  FieldPath,
  StatusError,
  applySteps,
  cloneSteps,
  newApplyConflict,
  newBadRequest,
  newInvalid,
  parseApiVersion,
  required,
  toApiVersion,
  typedProblems,
} from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import { toTime } from '@orrery/component';
import { decodeYamlAside } from '../negotiation/decode-aside.js';
import { checkKind } from '../negotiation/body-kind.js';
import { schemas } from '../negotiation/schemas.js';
import type { Call } from './call.js';
import { booleanOf, createCallOf } from './call.js';
import { inSteps, pauseFor } from './pauses.js';
import { fieldSchemasOf, managerOf, settableBy } from './field-manager.js';
import { fieldValidationOf, ignoresFields, yamlErrors } from './read-body.js';
import { sendObject } from './respond.js';
import { strategyFor } from './subresource-strategy.js';

type Document = Readonly<Record<string, unknown>>;

interface Applied<T> {
  readonly document: T;
  /** What is to be said of keys that are given again. */
  readonly repeated: readonly string[];
}

/** The document in the body, which is a map; null is an empty one. */
async function parse(call: Call): Promise<Applied<Document>> {
  try {
    const how = { findRepeated: !ignoresFields(call.request), pause: pauseFor(call).pause };
    const { value, repeatedKeys: repeated } = await decodeYamlAside(call.request.body, how);
    if (typeof value === 'object' && !Array.isArray(value))
      return { document: (value ?? {}) as Document, repeated };
    const type = typeof value === 'boolean' ? 'bool' : typeof value;
    throw newBadRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${Array.isArray(value) ? 'array' : type} into Go value of type map[string]interface {}`,
    );
  } catch (error) {
    if (error instanceof DecodeError)
      throw newBadRequest(`error decoding YAML: ${error.message}`, error);
    throw error;
  }
}

/** Fields that the schema does not have fail an apply whatever `fieldValidation` says, in upstream's words. */
async function checkTyped(call: Call, object: KubeObject): Promise<void> {
  const { kind } = call.resource;
  const steps = typedProblems(object, kind.schema, fieldSchemasOf(call));
  const problems = await inSteps(call, steps);
  if (problems === undefined) return;
  const { namespace = '', name = '' } = object.metadata;
  const what = `${namespace}/${name}; ${kind.group}/${kind.version}, Kind=${kind.kind}`;
  const message = `failed to create typed patch object (${what}): ${problems}`;
  throw new StatusError(500, '', message);
}

/** k8s apimachinery pkg/util/managedfields/internal/versioncheck.go: what is applied says what it is. */
function checkType(given: Document, { group, version, kind }: KindDescriptor): void {
  if (given['apiVersion'] === toApiVersion(group, version) && given['kind'] === kind) return;
  const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
  const named = parseApiVersion(textOf(given['apiVersion']));
  const type = `${named.group}/${named.version}, Kind=${textOf(given['kind'])}`;
  throw newBadRequest(`invalid object type: ${type}`);
}

/** The configuration that is applied: only what its author names, under the name in the URL. */
async function readConfiguration(call: Call): Promise<Applied<KubeObject>> {
  const { kind } = call.resource;
  const { document, repeated } = await parse(call);
  checkType(document, kind);
  const object = checkKind(document, kind, call.request.body);
  await pauseFor(call).pause?.();
  const { metadata } = object;
  await checkTyped(call, object);
  const { name, namespace } = call.request.info;
  if (metadata.name === undefined) metadata.name = name;
  if (kind.scope === 'Namespaced' && namespace !== '') metadata.namespace ??= namespace;
  if ((metadata.managedFields ?? undefined) !== undefined)
    throw newBadRequest('metadata.managedFields must be nil');
  return { document: object, repeated };
}

/** The body of an apply as it stands. */
export const parseApplied = async (call: Call): Promise<unknown> => (await parse(call)).document;

/** Who applies, who must be named. */
export function requireManager(call: Call): string {
  if ((call.request.query.get('fieldManager') ?? '') === '') {
    throw newInvalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      required(FieldPath.of('fieldManager'), 'is required for apply patch'),
    ]);
  }
  return managerOf(call);
}

/**
 * Keys that are given again, told of when the apply itself has succeeded (k8s apiserver
 * pkg/endpoints/handlers/patch.go:applyPatchToCurrentObject).
 */
function reportRepeated({ request }: Call, repeated: readonly string[]): void {
  if (repeated.length === 0) return;
  if (fieldValidationOf(request) === 'Warn')
    for (const text of repeated) request.context.warn(text);
  else
    throw newBadRequest(
      `error strict decoding YAML: error converting YAML to JSON: ${yamlErrors(repeated)}`,
    );
}

/** Server-side apply: merges the configuration into the object, which is created when there is none. */
export async function apply(call: Call): Promise<void> {
  const { request, resource } = call;
  const { kind } = resource;
  const manager = requireManager(call);
  const { document: patch, repeated } = await readConfiguration(call);
  await pauseFor(call).pause?.();
  const { track: _track, ...options } = createCallOf(call, 'PatchOptions');
  const { subresource } = request.info;
  const result = await resource.store.update(
    async (live) => {
      const { uid } = patch.metadata;
      const steps = applySteps({
        manager,
        registry: fieldSchemasOf(call),
        schemaName: kind.schema,
        apiVersion: toApiVersion(kind.group, kind.version),
        ...(subresource ? { subresource } : {}),
        now: toTime(request.context.receivedAt),
        ...settableBy(call),
        normalize: (object) =>
          resource.custom ? object : schemas().normalize(object, kind.schema),
        live,
        patch,
        force: booleanOf(request.query, 'force') ?? false,
        isLarge: pauseFor(call).pause !== undefined,
      });
      const applied = await inSteps(call, steps);
      if (applied.conflicts) throw newApplyConflict(applied.conflicts);
      reportRepeated(call, repeated);
      await pauseFor(call).pause?.();
      const object = await inSteps(call, cloneSteps(applied.object));
      await pauseFor(call).pause?.();
      if (uid === undefined && !live) delete object.metadata.uid;
      return object;
    },
    { ...options, name: request.info.name, ...strategyFor(call), createWhenAbsent: true },
  );
  await sendObject(call, result.representation, result.created ? 201 : 200);
}
