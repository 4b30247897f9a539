import { isNotFound } from '@orrery/apimachinery';
import { Turns, inTurns } from '@orrery/component';
import type { DeleteOptions } from './delete.js';
import { deleteObject } from './delete.js';
import type { ListRequest } from './list-options.js';
import type { ObjectList } from './read.js';
import { listObjects } from './read.js';
import type { RequestContext } from './request-context.js';
import type { StoreScope } from './store-deps.js';

/** Deletions under way at once, where nobody says how many. */
const CONCURRENCY = 8;

/** DELETE of a collection: deletes what the list matches and answers that list. */
export async function deleteCollection(
  scope: StoreScope,
  request: ListRequest,
  call: {
    readonly context: RequestContext;
    readonly options: DeleteOptions;
    readonly dryRun?: boolean;
  },
): Promise<ObjectList> {
  const list = await listObjects(scope, request, call.context.signal);
  const queue = [...list.items];
  const turns = new Turns();
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item; item = queue.shift()) {
      if (turns.isOver) await turns.next();
      const unread = item.readSteps?.('object');
      if (unread) await inTurns(unread);
      const { name = '', namespace } = item.object.metadata;
      try {
        await deleteObject(scope, { ...call, name, ...(namespace ? { namespace } : {}) });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: scope.deps.deletionsAtOnce ?? CONCURRENCY }, worker));
  return list;
}
