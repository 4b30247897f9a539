import {
  FieldPath,
  applyPatch,
  newInvalid,
  toApiVersion,
  trackSteps,
  trackUpdate,
  validateFieldManager,
} from '@orrery/apimachinery';
import type { KubeObject, ManagedFieldsEntry, SchemaRegistry } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import { toTime } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { cloneJson, systemContext } from '@orrery/registry';
import type { RequestContext, TrackFields } from '@orrery/registry';
import { schemas } from '../negotiation/schemas.js';
import type { Call } from './call.js';
import { inSteps, pauseFor } from './pauses.js';
import { settableFields } from './rules/reset-fields.js';
import type { SettableFields } from './rules/reset-fields.js';

/** Longest name of a manager (k8s apimachinery pkg/apis/meta/v1/validation:FieldManagerMaxLength). */
const MAX_MANAGER = 128;

/** The schemas by which the fields of a resource are told apart. */
export const fieldSchemasOf = ({ resource }: Call): SchemaRegistry =>
  resource.custom?.schemas ?? schemas();

/** The fields that a write here can set. */
export const settableBy = ({ request, resource }: Call): SettableFields =>
  settableFields(resource.kind, request.info.subresource, resource.custom !== undefined);

/** Who writes: `fieldManager`, or the user agent up to its first slash. */
export function managerOf({ request }: Call): string {
  const named = request.query.get('fieldManager') ?? '';
  if (named !== '') {
    const errors = validateFieldManager(named, FieldPath.of('fieldManager'));
    if (errors.length > 0)
      throw newInvalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', errors);
    return named;
  }
  const agent = request.context.userAgent.split('/')[0] ?? '';
  return (agent || 'unknown').slice(0, MAX_MANAGER);
}

interface OwnWrite {
  readonly subresource?: 'status';
  /** Default: the server, which its own client's user agent names. */
  readonly manager?: string;
}

/** Who owns what of an object of a built-in kind after the server itself has written it. */
export const ownTrack =
  (
    clock: Clock,
    kind: KindDescriptor,
    { subresource, manager = 'kube-apiserver' }: OwnWrite = {},
  ): TrackFields =>
  (object, old) =>
    trackUpdate({
      manager,
      registry: schemas(),
      schemaName: kind.schema,
      apiVersion: toApiVersion(kind.group, kind.version),
      subresource: subresource ?? '',
      ...settableFields(kind, subresource ?? '', false),
      now: toTime(clock.now()),
      old,
      new: object,
    }).metadata.managedFields;

/** How the server itself writes an object of a built-in kind. */
export const ownWrite = (
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  kind: KindDescriptor,
  how: OwnWrite = {},
): { readonly context: RequestContext; readonly track: TrackFields } => ({
  context: systemContext(clock, signal),
  track: ownTrack(clock, kind, how),
});

/** The object with a status as one of the server's controllers applies it, whoever owns it. */
export function withOwnStatus(
  clock: Clock,
  kind: KindDescriptor,
  manager: string,
  live: KubeObject,
  status: unknown,
): KubeObject {
  const apiVersion = toApiVersion(kind.group, kind.version);
  const { name = '' } = live.metadata;
  const { object = live } = applyPatch({
    manager,
    registry: schemas(),
    schemaName: kind.schema,
    apiVersion,
    subresource: 'status',
    now: toTime(clock.now()),
    normalize: (one) => schemas().normalize(one, kind.schema),
    live,
    patch: { apiVersion, kind: kind.kind, metadata: { name }, status } as KubeObject,
    force: true,
  });
  return cloneJson(object);
}

/** The bookkeeping of metadata.managedFields for creates, updates and patches. */
export function trackerFor(call: Call): TrackFields {
  const { kind } = call.resource;
  const { subresource } = call.request.info;
  const entriesOf = ({ metadata }: KubeObject): ManagedFieldsEntry[] | undefined =>
    metadata.managedFields;
  return (object, old) => {
    const steps = trackSteps({
      manager: managerOf(call),
      registry: fieldSchemasOf(call),
      schemaName: kind.schema,
      apiVersion: toApiVersion(kind.group, kind.version),
      ...(subresource ? { subresource } : {}),
      ...settableBy(call),
      now: toTime(call.request.context.receivedAt),
      old,
      new: object,
      isLarge: pauseFor(call).pause !== undefined,
    });
    const tracked = inSteps(call, steps);
    return tracked instanceof Promise ? tracked.then(entriesOf) : entriesOf(tracked);
  };
}
