import type { KubeObject } from '@orrery/apimachinery';
import { cloneJson } from '@orrery/registry';
import type { Call } from './call.js';
import { createCallOf } from './call.js';
import { noRoute } from './rules/method-not-allowed.js';
import { readObject } from './read-body.js';
import { sendObject } from './respond.js';

interface NamespaceShape extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: unknown;
}

/** Spec.finalizers alone may change here (k8s pkg/registry/core/namespace/strategy.go:namespaceFinalizeStrategy). */
const strategy = {
  prepareForUpdate(object: NamespaceShape, old: NamespaceShape): void {
    if (old.status === undefined) delete object.status;
    else object.status = cloneJson(old.status);
  },
};

/** PUT /api/v1/namespaces/x/finalize: takes away finalizers; the last one lets a Terminating namespace go. */
export async function finalizeNamespace(call: Call): Promise<void> {
  const { request, resource } = call;
  if (request.info.verb !== 'update') throw noRoute();
  const object = await readObject(call);
  const result = await resource.store.update(() => cloneJson(object), {
    ...createCallOf(call, 'UpdateOptions'),
    name: request.info.name,
    subresource: 'finalize',
    strategy,
  });
  await sendObject(call, result.representation);
}
