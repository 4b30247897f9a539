import type { KubeObject } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import { equalJson } from './json.js';
import type { UpdateCall } from './update-call.js';

/** Kinds without a spec of their own kind, or whose generation upstream leaves alone. */
export const hasGeneration = (kind: KindDescriptor): boolean =>
  kind.hasGeneration ?? kind.status !== undefined;

/** False for writes of a status: these make no generation, though annotations come with them. */
export const mayMakeGeneration = (
  kind: KindDescriptor,
  { strategy, keepsGeneration }: Pick<UpdateCall, 'strategy' | 'keepsGeneration'>,
): boolean =>
  hasGeneration(kind) &&
  keepsGeneration !== true &&
  (strategy === undefined || strategy !== kind.status);

/** True when what the user declares differs: everything but metadata and status, and annotations where they count. */
export function declarationChanged(
  kind: KindDescriptor,
  object: KubeObject,
  old: KubeObject,
): boolean {
  const { annotations = {} } = object.metadata;
  if (kind.countsAnnotations && !equalJson(annotations, old.metadata.annotations ?? {}))
    return true;
  const strip = (value: KubeObject): Record<string, unknown> => {
    const rest: Record<string, unknown> = { ...value };
    delete rest['metadata'];
    delete rest['status'];
    delete rest['kind'];
    delete rest['apiVersion'];
    return rest;
  };
  return !equalJson(strip(object), strip(old));
}
