import type { Call } from './call.js';
import { namespaceOf } from './call.js';
import { sendObject } from './respond.js';

/** GET of one object. */
export async function get(call: Call): Promise<void> {
  const { request, resource } = call;
  const resourceVersion = request.query.get('resourceVersion') ?? '';
  // No signal, which costs more than the read: nobody waits longer than some seconds for the state.
  const found = await resource.store.get(namespaceOf(call), request.info.name, { resourceVersion });
  await sendObject(call, found);
}
