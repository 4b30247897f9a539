import type { KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  StatusError,
  applyPatch,
  invalid,
  newApplyConflict,
  newBadRequest,
  newConflict,
  newInternalError,
  newInvalid,
  OBJECT_MODIFIED,
  toApiVersion,
} from '@orrery/apimachinery';
import { scaleColumns } from '@orrery/api';
import type { TableColumns } from '@orrery/api';
import { AdmissionChain, checkIdentity, cloneJson, represent } from '@orrery/registry';
import type { AdmissionPlugin } from '@orrery/registry';
import { toTime } from '@orrery/component';
import { checkKind, patchedKindProblem } from '../negotiation/body-kind.js';
import { unsupported } from '../negotiation/decode-body.js';
import { parseApplied, requireManager } from './apply.js';
import type { Call } from './call.js';
import { booleanOf, createCallOf, isApply, namespaceOf } from './call.js';
import { methodNotAllowed } from './rules/method-not-allowed.js';
import { fieldSchemasOf } from './field-manager.js';
import { isStrategic, patchedDocument, readPatch, refusePatch } from './patch.js';
import { checkAs, readTyped } from './read-body.js';
import { sendObject } from './respond.js';
import { APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH } from './rules/media-types.js';

interface Scale extends KubeObject {
  spec?: { replicas?: number };
}

const SCALE = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  schema: 'io.k8s.api.autoscaling.v1.Scale',
  message: 'k8s.io.api.autoscaling.v1.Scale',
};

/** The Scale that stands for an object. */
function scaleOf(call: Call, object: KubeObject): Scale & Record<string, unknown> {
  const access = call.resource.kind.scale;
  const { replicas, statusReplicas, selector } = access?.get(object) ?? {
    replicas: 0,
    statusReplicas: 0,
    selector: '',
  };
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(
      Object.entries({ name, namespace, uid, resourceVersion, creationTimestamp }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: statusReplicas, ...(selector ? { selector } : {}) },
  };
}

/** Upstream makes the table of a custom object's Scale by paths, which lead nowhere without replicas. */
const customColumns: TableColumns = {
  columns: scaleColumns.columns,
  row: (scale: Scale, now) => {
    const [name = null, desired = null, ...rest] = scaleColumns.row(scale, now);
    return [name, scale.spec?.replicas === undefined ? null : desired, ...rest];
  },
};

async function sendScale(call: Call, object: KubeObject): Promise<void> {
  const { request, resource } = call;
  const scale = scaleOf(call, object);
  const columns = resource.custom ? customColumns : scaleColumns;
  const kind = { ...resource.kind, columns };
  return sendObject({ request, resource: { ...resource, kind } }, represent(scale));
}

function checkScale(call: Call, scale: Scale, current: KubeObject): number {
  const replicas = scale.spec?.replicas ?? 0;
  const { name = '' } = current.metadata;
  if (scale.metadata.name !== undefined && scale.metadata.name !== name) {
    throw newBadRequest(
      `the name of the object (${scale.metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  // Of custom objects it is seen with the rest of them.
  if (replicas < 0 && !call.resource.custom) {
    throw newInvalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      invalid(FieldPath.of('spec', 'replicas'), replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const { resourceVersion } = scale.metadata;
  if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
    const { group, plural } = call.resource.kind;
    throw newConflict({ group, resource: plural }, name, OBJECT_MODIFIED);
  }
  return replicas;
}

/** Asks admission about the new Scale, which it may change. */
async function admitScale(
  call: Call,
  { scale, old, dryRun }: { readonly scale: Scale; readonly old: Scale; readonly dryRun: boolean },
  plugins: readonly AdmissionPlugin[],
): Promise<void> {
  const { request, resource } = call;
  const namespace = namespaceOf(call);
  const { group, version, kind } = SCALE;
  const chain = new AdmissionChain(plugins);
  const attributes = {
    operation: 'UPDATE' as const,
    kind: resource.kind,
    subresource: 'scale',
    ...(namespace ? { namespace } : {}),
    name: request.info.name,
    object: scale,
    oldObject: old,
    objectKind: { group, version, kind },
    options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1' },
    dryRun,
    context: request.context,
  };
  await chain.admit(attributes);
  await chain.validate(attributes);
}

/** What a Scale that is applied means for the object that it stands for: its replicas alone. */
function appliedTo(call: Call, scale: Scale): KubeObject {
  const { kind } = call.resource;
  const { name } = call.request.info;
  const patch: KubeObject = {
    apiVersion: toApiVersion(kind.group, kind.version),
    kind: kind.kind,
    metadata: { name },
    // Built-in kinds have their replicas here.
    ...(call.resource.custom ? {} : { spec: {} }),
  };
  if (scale.spec?.replicas !== undefined) kind.scale?.set(patch, scale.spec.replicas);
  return patch;
}

/** A Scale is no version of a custom object: once nobody minds, upstream cannot make it one. */
function refuseCustom({ request, resource }: Call): void {
  if (!resource.custom) return;
  const { namespace, name } = request.info;
  const message = `failed to convert new object (${namespace}/${name}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1`;
  throw new StatusError(500, '', message);
}

/** Server-side apply: who applies owns the field of the replicas (k8s managedfields/scalehandler.go). */
async function applyScale(call: Call, admission: readonly AdmissionPlugin[]): Promise<void> {
  const { request, resource } = call;
  const { kind } = resource;
  const manager = requireManager(call);
  const body = checkKind(await parseApplied(call), SCALE, call.request.body) as Scale;
  const { track: _track, ...options } = createCallOf(call, 'PatchOptions');
  const result = await resource.store.update(
    async (current) => {
      const live = cloneJson(current ?? { metadata: {} });
      const old = scaleOf(call, live);
      checkScale(call, body, live);
      const { object, conflicts } = applyPatch({
        manager,
        registry: fieldSchemasOf(call),
        schemaName: kind.schema,
        apiVersion: toApiVersion(kind.group, kind.version),
        subresource: 'scale',
        now: toTime(request.context.receivedAt),
        live,
        patch: appliedTo(call, body),
        force: booleanOf(request.query, 'force') ?? false,
      });
      if (conflicts) throw newApplyConflict(conflicts);
      refuseCustom(call);
      const scale = scaleOf(call, object);
      await admitScale(call, { scale, old, dryRun: options.dryRun ?? false }, admission);
      const made = cloneJson(object);
      kind.scale?.set(made, checkScale(call, scale, live));
      return made;
    },
    {
      ...options,
      admitted: true,
      name: request.info.name,
      subresource: 'scale',
      strategy: kind.strategy,
    },
  );
  await sendScale(call, result.representation.object);
}

/** The Scale that a patch makes of the one there is. */
async function patchedScale(call: Call, old: Scale): Promise<Scale> {
  const { request, resource } = call;
  const patched = await patchedDocument(call, old, SCALE.schema, await readPatch(call));
  const refuse = (problem: string): StatusError => refusePatch(call, patched, problem);
  const problem = isStrategic(call) ? undefined : patchedKindProblem(patched, SCALE);
  if (problem !== undefined)
    throw refuse(
      resource.custom
        ? problem.replace(/ in scheme ".*"$/, ` in scheme "${CUSTOM_SCHEME}"`)
        : problem,
    );
  return checkAs(request, patched, SCALE, { refuse, isConverted: isStrategic(call) });
}

/** What knows the Scales of custom resources calls itself so. */
const CUSTOM_SCHEME = 'k8s.io/client-go/scale/util.go:146';

/** Of custom resources (apiextensions-apiserver pkg/registry/customresource/etcd.go:ScaleREST). */
const withoutReplicas = (path: string, what: string): string =>
  `the spec replicas field ${JSON.stringify(path)} ${what}`;

/** GET, PUT and PATCH of `/scale`: the replicas of an object in a shape that all scalable kinds share. */
export async function serveScale(call: Call, admission: readonly AdmissionPlugin[]): Promise<void> {
  const { request, resource } = call;
  const { verb, name } = request.info;
  if (verb === 'get') {
    const found = await resource.store.get(namespaceOf(call), name, {
      resourceVersion: request.query.get('resourceVersion') ?? '',
    });
    const lacking = resource.kind.scale?.lacks?.(found.object);
    if (lacking !== undefined) throw newInternalError(withoutReplicas(lacking, 'does not exist'));
    await sendScale(call, found.object);
    return;
  }
  if (verb !== 'update' && verb !== 'patch') {
    throw methodNotAllowed(resource, verb);
  }
  if (isApply(call)) {
    await applyScale(call, admission);
    return;
  }
  if (resource.custom && isStrategic(call))
    throw unsupported(STRATEGIC_PATCH, [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]);
  const body = verb === 'update' ? ((await readTyped(request, SCALE)) as Scale) : undefined;
  if (body) {
    // As what it stands for, wherever that lies.
    const { scope } = resource.kind;
    checkIdentity({ scope }, body, { namespace: namespaceOf(call) }, name);
  }
  const options = createCallOf(call, 'UpdateOptions');
  const result = await resource.store.update(
    async (current) => {
      const object = cloneJson(current ?? { metadata: {} });
      const old = scaleOf(call, object);
      const scale: Scale = body ? cloneJson(body) : await patchedScale(call, old);
      const lacking = resource.kind.scale?.lacks?.(object);
      if (!body && lacking !== undefined && scale.spec?.replicas === undefined)
        throw newBadRequest(withoutReplicas(lacking, 'cannot be empty'));
      await admitScale(call, { scale, old, dryRun: options.dryRun ?? false }, admission);
      resource.kind.scale?.set(object, checkScale(call, scale, object));
      if (body?.metadata.uid) object.metadata.uid = body.metadata.uid;
      return object;
    },
    {
      ...options,
      admitted: true,
      name,
      subresource: 'scale',
      strategy: resource.kind.strategy,
    },
  );
  await sendScale(call, result.representation.object);
}
