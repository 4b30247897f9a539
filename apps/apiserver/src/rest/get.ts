import type { Call } from './call.js';
import { namespaceOf } from './call.js';
import { sendObject } from './respond.js';

/** GET of one object. */
export async function get(call: Call): Promise<void> {
  const { request, resource } = call;
  const found = await resource.store.get(namespaceOf(call), request.info.name, {
    resourceVersion: request.query.get('resourceVersion') ?? '',
    signal: request.context.signal,
  });
  await sendObject(call, found);
}
