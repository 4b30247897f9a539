import type { KubeObject } from '@orrery/apimachinery';
import type { LiveReader } from './live-view.js';

/** A fixed set of objects behind the reader's interface: for specs and for servers without storage. */
export function staticReader<T extends KubeObject>(
  objects: readonly T[],
  index?: (object: T) => string | undefined,
): LiveReader<T> {
  const get = (name: string, namespace?: string): T | undefined =>
    objects.find(
      ({ metadata }) => metadata.name === name && (metadata.namespace ?? '') === (namespace ?? ''),
    );
  return {
    version: 1,
    get,
    find: (name, namespace) => Promise.resolve(get(name, namespace)),
    values: () => objects.values(),
    indexed: (value) => objects.filter((object) => index?.(object) === value),
  };
}
