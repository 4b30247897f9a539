import type { Call } from './call.js';
import { create } from './create.js';
import { newBadRequest } from '@orrery/apimachinery';
import { refuseMediaTypes } from './rules/media-types.js';
import { methodNotAllowed, noRoute } from './rules/method-not-allowed.js';
import { deleteMany, deleteOne } from './delete.js';
import { get } from './get.js';
import { list } from './list.js';
import { patch } from './patch.js';
import { update } from './update.js';
import type { WatchDeps } from './watch.js';
import { watch } from './watch.js';

const ALL_VERBS = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

const HANDLERS: Readonly<Record<string, (call: Call, deps: WatchDeps) => Promise<void>>> = {
  create,
  get,
  list,
  update,
  patch,
  delete: deleteOne,
  deletecollection: deleteMany,
};

/** Serves a request for the object itself (no subresource). */
export async function dispatch(call: Call, deps: WatchDeps): Promise<void> {
  const { request, resource } = call;
  const { verb, name } = request.info;
  const verbs = resource.kind.verbs ?? ALL_VERBS;
  // A single object named by a field selector is still read as a collection.
  const isNamed = request.info.parts.length > 1;
  const asked = verb === 'get' && !isNamed && name === '' ? 'list' : verb;
  const handler = HANDLERS[asked];
  // What is POSTed to a custom object's own path is created, by the name in the body.
  if (!verbs.includes(asked) || (isNamed && asked === 'create' && !resource.custom))
    throw methodNotAllowed(resource, asked);
  if (!isNamed && /^(?:update|patch)$/.test(asked))
    throw resource.custom ? newBadRequest('name must be provided') : noRoute();
  refuseMediaTypes(call, asked);
  if (asked === 'watch') await watch(call, deps);
  else if (handler) await handler(call, deps);
  else throw methodNotAllowed(resource, asked);
}
