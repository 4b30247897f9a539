import type { Call } from './call.js';
import { listRequestOf } from './call.js';
import { sendList } from './respond.js';

/** GET of a collection. */
export async function list(call: Call): Promise<void> {
  const { request, resource } = call;
  await sendList(call, await resource.store.list(listRequestOf(call), request.context.signal));
}
