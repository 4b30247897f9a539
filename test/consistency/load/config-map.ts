import type { Labels, ObjectVersion } from '@orrery/checker';
import { field, isJson } from './http-session.js';

/** The resource that the clients write: nothing else writes it, and it goes at once when deleted. */
export const RESOURCE = 'configmaps';
/** `ns1` is a prefix of `ns10`: what is in one must never show in the other. */
export const NAMESPACES = ['ns1', 'ns10'] as const;
export type Namespace = (typeof NAMESPACES)[number];

export const toKey = (namespace: string, name: string): string =>
  `${RESOURCE}/${namespace}/${name}`;

/** The API's path of a scope (`configmaps`, `configmaps/ns1`) or of a key. */
export function toPath(key: string): string {
  const [, namespace, name] = key.split('/');
  const collection =
    namespace === undefined ? `/api/v1/${RESOURCE}` : `/api/v1/namespaces/${namespace}/${RESOURCE}`;
  return name === undefined ? collection : `${collection}/${name}`;
}

function toLabels(value: unknown): { labels?: Labels } {
  return isJson(value) && Object.keys(value).length > 0 ? { labels: value as Labels } : {};
}

/** What a checker needs of a ConfigMap; undefined for anything else. */
export function toVersion(object: unknown, rv?: number): ObjectVersion | undefined {
  const meta = field(object, 'metadata');
  const value = field(object, 'data', 'v');
  const [namespace, name, uid] = ['namespace', 'name', 'uid'].map((part) => field(meta, part));
  if (typeof namespace !== 'string' || typeof name !== 'string' || typeof uid !== 'string')
    return undefined;
  return {
    key: toKey(namespace, name),
    uid,
    rv: rv ?? Number(field(meta, 'resourceVersion')),
    value: typeof value === 'string' ? value : '',
    ...toLabels(field(meta, 'labels')),
  };
}

export function toVersions(list: unknown): ObjectVersion[] {
  const items = field(list, 'items');
  return Array.isArray(items) ? items.flatMap((item) => toVersion(item) ?? []) : [];
}
