import { FieldPath, forbidden, newInvalid } from '@orrery/apimachinery';
import type { Call } from './call.js';
import { listRequestOf } from './call.js';
import { sendList } from './respond.js';
import type { WatchDeps } from './watch.js';

const INITIAL = FieldPath.of('sendInitialEvents');

/** k8s apimachinery pkg/apis/meta/internalversion/validation:ValidateListOptions, of what watches alone may ask for. */
function refuseInitialEvents(query: URLSearchParams): void {
  if (query.has(INITIAL.toString()))
    throw newInvalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      forbidden(INITIAL, 'sendInitialEvents is forbidden for list'),
    ]);
}

/** GET of a collection. */
export async function list(call: Call, { sent }: Pick<WatchDeps, 'sent'>): Promise<void> {
  const { request, resource } = call;
  refuseInitialEvents(request.query);
  const found = await resource.store.list(listRequestOf(call), request.context.signal);
  await sendList(call, found);
  sent?.note(request.context, resource.kind, Number(found.resourceVersion));
}
