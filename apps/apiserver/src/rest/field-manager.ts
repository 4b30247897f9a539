import {
  FieldPath,
  newInvalid,
  toApiVersion,
  trackUpdate,
  validateFieldManager,
} from '@orrery/apimachinery';
import type { SchemaRegistry } from '@orrery/apimachinery';
import { toTime } from '@orrery/component';
import type { TrackFields } from '@orrery/registry';
import { schemas } from '../negotiation/schemas.js';
import type { Call } from './call.js';

/** Longest name of a manager (k8s apimachinery pkg/apis/meta/v1/validation:FieldManagerMaxLength). */
const MAX_MANAGER = 128;

/** The schemas by which the fields of a resource are told apart. */
export const fieldSchemasOf = ({ resource }: Call): SchemaRegistry =>
  resource.custom?.schemas ?? schemas();

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

/** The bookkeeping of metadata.managedFields for creates, updates and patches. */
export function trackerFor(call: Call): TrackFields {
  const { kind } = call.resource;
  const { subresource } = call.request.info;
  return (object, old) =>
    trackUpdate({
      manager: managerOf(call),
      registry: fieldSchemasOf(call),
      schemaName: kind.schema,
      apiVersion: toApiVersion(kind.group, kind.version),
      ...(subresource ? { subresource } : {}),
      now: toTime(call.request.context.receivedAt),
      old,
      new: object,
    }).metadata.managedFields;
}
