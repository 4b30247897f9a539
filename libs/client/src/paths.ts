import type { ObjectKey } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import type { DeleteQuery, ListQuery, WatchQuery, WriteQuery } from './client.js';

type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** `?a=b&c=d` of the parameters that are set, or ''. */
export function toQuery(parameters: Parameters): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') parts.push(`${name}=${encodeURIComponent(value)}`);
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** The collection's path: of a namespace, or of all. */
export function collectionPath(ref: ResourceRef, namespace: string | undefined): string {
  const root = ref.group === '' ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  return ref.namespaced && namespace
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${ref.plural}`
    : `${root}/${ref.plural}`;
}

/** The object's path, or its subresource's. Throws for a name or namespace that is absent. */
export function objectPath(ref: ResourceRef, key: ObjectKey, subresource?: string): string {
  if (!key.name) throw new TypeError(`${ref.plural}: an object's name may not be empty`);
  if (ref.namespaced && !key.namespace)
    throw new TypeError(`${ref.plural} "${key.name}": an object's namespace may not be empty`);
  const path = `${collectionPath(ref, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource ? `${path}/${subresource}` : path;
}

export const listParameters = (query: ListQuery): Parameters => ({
  labelSelector: query.labelSelector,
  fieldSelector: query.fieldSelector,
  limit: query.limit ?? query.pageSize,
  continue: query.continue,
  resourceVersion: query.continue ? undefined : query.resourceVersion,
  resourceVersionMatch: query.continue ? undefined : query.resourceVersionMatch,
});

export const watchParameters = (query: WatchQuery): Parameters => ({
  watch: true,
  labelSelector: query.labelSelector,
  fieldSelector: query.fieldSelector,
  resourceVersion: query.resourceVersion,
  allowWatchBookmarks: query.allowWatchBookmarks,
  sendInitialEvents: query.sendInitialEvents,
  resourceVersionMatch: query.sendInitialEvents === undefined ? undefined : 'NotOlderThan',
  timeoutSeconds: query.timeoutSeconds,
});

export const writeParameters = (query: WriteQuery): Parameters => ({
  dryRun: query.dryRun ? 'All' : undefined,
  fieldManager: query.fieldManager,
  force: query.force,
});

/** DeleteOptions as a request body. */
export const toDeleteOptions = (query: DeleteQuery): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'DeleteOptions',
  ...(query.gracePeriodSeconds === undefined
    ? {}
    : { gracePeriodSeconds: query.gracePeriodSeconds }),
  ...(query.propagationPolicy ? { propagationPolicy: query.propagationPolicy } : {}),
  ...(query.preconditions ? { preconditions: query.preconditions } : {}),
  ...(query.dryRun ? { dryRun: ['All'] } : {}),
});
