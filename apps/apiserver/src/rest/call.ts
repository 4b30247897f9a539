import { isFlagSet, newBadRequest } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { Strategy } from '@orrery/api';
import type { CreateCall, ListRequest } from '@orrery/registry';
import type { ApiRequest } from '../filters/api-request.js';
import { mediaTypeOf } from '../negotiation/decode-body.js';
import type { ServedResource } from './resource-catalog.js';
import { trackerFor } from './field-manager.js';
import { pauseFor } from './pauses.js';
import { predicateOf } from './selectors.js';
import { checkWriteOptions } from './rules/write-options.js';

/** One request for one resource. */
export interface Call {
  readonly request: ApiRequest;
  readonly resource: ServedResource;
  /** The update strategy of the subresource asked for, where it has one of its own. */
  readonly strategy?: Strategy;
}

export const namespaceOf = ({ request, resource }: Call): string | undefined =>
  resource.kind.scope === 'Namespaced' && request.info.namespace !== ''
    ? request.info.namespace
    : undefined;

/** True for a server-side apply. */
export const isApply = (call: Call): boolean =>
  mediaTypeOf(call.request.headers['content-type']) === 'application/apply-patch+yaml';

export function createCallOf(
  call: Call,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
): CreateCall {
  const namespace = namespaceOf(call);
  const { query } = call.request;
  checkWriteOptions(query, kind, query.has('force') && isApply(call));
  return {
    context: call.request.context,
    ...(namespace ? { namespace } : {}),
    dryRun: query.getAll('dryRun').includes('All'),
    track: trackerFor(call),
    ...pauseFor(call),
    options: {
      kind,
      apiVersion: 'meta.k8s.io/v1',
      ...Object.fromEntries(
        ['fieldManager', 'fieldValidation']
          .map((name) => [name, query.get(name)] as const)
          .filter(([, value]) => value !== null),
      ),
    },
  };
}

/** A boolean parameter; undefined when absent. */
export function booleanOf(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  return value === null ? undefined : isFlagSet(value);
}

export function numberOf(query: URLSearchParams, name: string): number {
  const value = query.get(name) ?? '';
  if (value === '') return 0;
  if (!/^-?\d+$/.test(value)) {
    throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  // Go's int64.
  if (BigInt.asIntN(64, BigInt(value)) !== BigInt(value))
    throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`);
  return Math.max(0, Number(value));
}

export function listRequestOf(call: Call): ListRequest {
  const { query } = call.request;
  const namespace = namespaceOf(call);
  const predicate = predicateOf(call.resource.kind, query);
  const { name } = call.request.info;
  // Of a list it says nothing, but it is read.
  numberOf(query, 'timeoutSeconds');
  return {
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(predicate ? { predicate } : {}),
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: numberOf(query, 'limit'),
    continueToken: query.get('continue') ?? '',
  };
}

export const objectName = (object: KubeObject): string => object.metadata.name ?? '';
