import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import { controllerOf, deepEqual, keyOf, labelSelectorMatcher } from '@orrery/apimachinery';
import type { LabelSelectorObject } from '@orrery/apimachinery';
import type { LabelMatcher, Lister } from '@orrery/informers';

/** What of an object decides who may adopt it. */
export const mattersToAdopters = (
  { metadata }: KubeObject,
  { metadata: old }: KubeObject,
): boolean =>
  !deepEqual(metadata.labels, old.labels) ||
  !deepEqual(metadata.ownerReferences, old.ownerReferences);

/** The labels that an owner selects; undefined when it selects nothing, or everything. */
export function selectedBy(owner: {
  spec?: { selector?: LabelSelectorObject };
}): LabelMatcher | undefined {
  const matcher = labelSelectorMatcher(owner.spec?.selector);
  return matcher.empty ? undefined : (labels) => matcher.matches(labels);
}

/** Names the owners that would adopt an object which nobody controls: they look when it comes or is let go. */
export function adoptersOf<T extends KubeObject>(
  owners: Lister<T>,
  matcherOf: (owner: T) => LabelMatcher | undefined,
): (orphan: KubeObject) => ObjectKey[] {
  return (orphan) => {
    const { namespace, labels = {}, deletionTimestamp } = orphan.metadata;
    if (deletionTimestamp !== undefined || controllerOf(orphan)) return [];
    return owners
      .list(namespace)
      .filter((owner) => matcherOf(owner)?.(labels) === true)
      .map(keyOf);
  };
}
