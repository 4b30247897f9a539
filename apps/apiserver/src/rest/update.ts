import { checkIdentity, cloneJson } from '@orrery/registry';
import type { Call } from './call.js';
import { createCallOf } from './call.js';
import { readObject } from './read-body.js';
import { sendObject } from './respond.js';
import { strategyFor } from './subresource-strategy.js';

/** PUT of an object or of its status. */
export async function update(call: Call): Promise<void> {
  const { request, resource } = call;
  const object = await readObject(call);
  checkIdentity(resource.kind, object, createCallOf(call, 'UpdateOptions'), request.info.name);
  const named = object.metadata.resourceVersion ?? '';
  const result = await resource.store.update(() => cloneJson(object), {
    ...createCallOf(call, 'UpdateOptions'),
    name: request.info.name,
    ...strategyFor(call),
    createWhenAbsent: resource.kind.strategy.allowCreateOnUpdate === true,
    retryOnConflict: named === '' || named === '0',
  });
  await sendObject(call, result.representation, result.created ? 201 : 200);
}
