import type { KubeObject } from '@orrery/apimachinery';
import { controllerOf } from '@orrery/apimachinery';
import type { Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import { BY_NODE, BY_OWNER, byNode, byOwner } from '@orrery/informers';
import type { IndexFunction, InformerFactory, SharedInformer } from '@orrery/informers';

/** Index of objects without a controlling owner, by namespace: those that may be adopted. */
export const ORPHANS = 'orphans';

export const orphans: IndexFunction<KubeObject> = (object) =>
  controllerOf(object) ? [] : [object.metadata.namespace ?? ''];

/** The pods' informer with every index that controllers use. */
export function podInformer(informers: InformerFactory): SharedInformer<Pod> {
  const informer = informers.informer(resources.pods);
  informer.addIndex(BY_OWNER, byOwner);
  informer.addIndex(BY_NODE, byNode);
  informer.addIndex(ORPHANS, orphans);
  return informer;
}
