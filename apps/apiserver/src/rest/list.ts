import type { Call } from './call.js';
import { listRequestOf } from './call.js';
import { sendList } from './respond.js';
import type { WatchDeps } from './watch.js';

/** GET of a collection. */
export async function list(call: Call, { sent }: Pick<WatchDeps, 'sent'>): Promise<void> {
  const { request, resource } = call;
  const found = await resource.store.list(listRequestOf(call), request.context.signal);
  await sendList(call, found);
  sent?.note(request.context, resource.kind, Number(found.resourceVersion));
}
