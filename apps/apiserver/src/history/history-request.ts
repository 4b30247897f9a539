import { newBadRequest, newNotFound } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { Clock } from '@orrery/component';
import type { ObjectName } from '@orrery/history';
import type { CauseReader, History, WriteLog } from '@orrery/storage';
import type { ApiRequest } from '../filters/api-request.js';
import { parseRequestInfo } from '../filters/request-info.js';
import type { Access } from './access.js';
import type { KeyCatalog } from './key-catalog.js';
import { WriteReader } from './write-reader.js';

/** One request for history and what it is answered from. */
export interface HistoryRequest {
  readonly request: ApiRequest;
  /** What follows `/history/revisions` or `/history/explain`: `/api/v1/namespaces/a/pods/b`. */
  readonly rest: string;
  readonly now: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly history: History;
  readonly log: WriteLog;
  readonly causes: CauseReader;
  readonly catalog: KeyCatalog;
  readonly kinds: readonly KindDescriptor[];
  readonly access: Access;
  /** Asks the rules of today anew: for answers that take long. */
  freshAccess(): Access;
  freshCatalog(): KeyCatalog;
}

export const readerOf = ({ log, causes, catalog, signal }: HistoryRequest): WriteReader =>
  new WriteReader({ log, causes, catalog, signal });

/** An object and its key in etcd. */
export interface Subject {
  readonly object: ObjectName;
  readonly key: string;
}

/** The object that the rest of the path names. Throws 400 for what is no object, 404 for an unknown resource. */
export function subjectOf({ rest, kinds, catalog, request }: HistoryRequest): Subject {
  const info = parseRequestInfo('GET', rest, new URLSearchParams());
  const { group, version, resource, namespace, name, subresource } = info;
  if (!info.isResource || name === '' || subresource !== '')
    throw newBadRequest(
      `${request.path} names no object: its history is at /history/revisions/api/v1/namespaces/<namespace>/pods/<name> and the like`,
    );
  const kind = kinds.find(
    (one) => one.group === group && one.version === version && one.plural === resource,
  );
  if (!kind) throw newNotFound({ group, resource }, name);
  const isNamespaced = kind.scope === 'Namespaced';
  if (isNamespaced !== (namespace !== '') && resource !== 'namespaces')
    throw newBadRequest(
      `${resource} are ${isNamespaced ? 'in a namespace, which the path must name' : 'in no namespace'}`,
    );
  const object: ObjectName = {
    group,
    version,
    kind: kind.kind,
    resource,
    ...(isNamespaced ? { namespace } : {}),
    name,
  };
  return { object, key: `${catalog.prefixOf(kind, isNamespaced ? namespace : undefined)}${name}` };
}

/** The scope that `namespace` and `resource` of a query name. */
export interface Scope {
  readonly namespace: string;
  readonly kind: KindDescriptor | undefined;
}

/** Reads a scope; resources are named as `deployments.apps`, `pods`. Throws 400 for what is not served. */
export function scopeOf({ request: { query }, kinds }: HistoryRequest): Scope {
  const asked = query.get('resource') ?? '';
  const namespace = query.get('namespace') ?? '';
  if (asked === '') return { namespace, kind: undefined };
  const [resource = '', ...group] = asked.split('.');
  const kind = kinds.find(
    (one) => one.plural === resource && one.group === group.join('.') && !one.storageConversion,
  );
  if (!kind)
    throw newBadRequest(
      `resource: ${JSON.stringify(asked)} is not served: name it as deployments.apps or pods`,
    );
  return { namespace, kind };
}

/** The objects of a kind, as permissions see them. */
export const collectionOf = (
  { group, version, kind, plural, scope }: KindDescriptor,
  namespace: string,
): ObjectName => ({
  group,
  version,
  kind,
  resource: plural,
  ...(scope === 'Namespaced' && namespace ? { namespace } : {}),
  name: '',
});

/** Whether an object lies in a scope. */
export const isInScope = (object: ObjectName, { namespace, kind }: Scope): boolean =>
  (namespace === '' || object.namespace === namespace) &&
  (!kind || (object.resource === kind.plural && object.group === kind.group));

/** `/registry/pods/` and the like: the prefix of all keys in a scope. */
export function prefixOf({ catalog }: HistoryRequest, { kind, namespace }: Scope): string {
  return kind ? catalog.prefixOf(kind, namespace) : catalog.keyPrefix;
}
