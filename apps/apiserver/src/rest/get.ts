import type { Call } from './call.js';
import { namespaceOf } from './call.js';
import { sendObject } from './respond.js';

/** GET of one object. */
export async function get(call: Call): Promise<void> {
  const { request, resource } = call;
  const resourceVersion = request.query.get('resourceVersion') ?? '';
  // What memory has at once needs no signal, which costs more than the read.
  const signal = resourceVersion === '0' ? {} : { signal: request.context.signal };
  const found = await resource.store.get(namespaceOf(call), request.info.name, {
    resourceVersion,
    ...signal,
  });
  await sendObject(call, found);
}
