import type { KubeObject } from '@orrery/apimachinery';
import type { StoreHooks } from './store-deps.js';

interface NamespaceShape extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: { phase?: string };
}

/** A Namespace goes once its spec.finalizers are gone; until then it is Terminating. */
export const namespaceHooks: StoreHooks = {
  pendingFinalizers: (object: NamespaceShape) => object.spec?.finalizers ?? [],
  hasOwnDelete: true,
  markDeleting(object: NamespaceShape) {
    object.status = { ...object.status, phase: 'Terminating' };
  },
};
