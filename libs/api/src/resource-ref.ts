import type { KubeObject } from '@orrery/apimachinery';

/** Where a resource is served; carries its object type for typed clients, informers and listers. */
export interface ResourceRef<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set: carries T. */
  readonly object?: T;
}

export function ref<T extends KubeObject>(
  group: string,
  version: string,
  plural: string,
  kind: string,
  namespaced: boolean,
): ResourceRef<T> {
  return { group, version, plural, kind, namespaced };
}
