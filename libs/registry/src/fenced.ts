import type { Fence } from '@orrery/apimachinery';
import { newFenced } from '@orrery/apimachinery';
import type { Lease } from '@orrery/api';
import { isStorageError } from '@orrery/storage';
import type { Freshness, WriteOptions } from '@orrery/storage';
import type { RequestContext } from './request-context.js';
import type { StoreDeps } from './store-deps.js';

/** Renewals of the Lease that may come between one write and its transaction. */
const ATTEMPTS = 6;

type Guard = readonly [key: string, revision: number];

/** The Lease at the revision at which it is still held as the fence says; undefined = it is not. */
async function guardOf(
  { storage, keyPrefix }: Pick<StoreDeps, 'storage' | 'keyPrefix'>,
  { namespace, name, transitions, holder }: Fence,
  freshness: Freshness,
): Promise<Guard | undefined> {
  const key = `${keyPrefix}leases/${namespace}/${name}`;
  const entry = await storage.get(key, { freshness });
  if (!entry) return undefined;
  const { leaseTransitions = 0, holderIdentity = '' } = (entry.object as Lease).spec ?? {};
  const isHeld = holderIdentity !== '' && (holder === undefined || holder === holderIdentity);
  return isHeld && leaseTransitions === transitions ? [key, entry.revision] : undefined;
}

/**
 * Makes a write whose transaction compares the Lease that its request names (header Fencing-Lease): of a leader that was
 * deposed meanwhile nothing is stored. Rejects with 409 `Fenced` then. Requests that name no Lease are written as ever.
 */
export async function fenced<T>(
  { deps }: { readonly deps: Pick<StoreDeps, 'storage' | 'keyPrefix'> },
  { origin }: Pick<RequestContext, 'origin'>,
  write: (options: Pick<WriteOptions, 'guards'>) => Promise<T>,
): Promise<T> {
  const fence = origin?.fence;
  if (!fence) return write({});
  for (let attempt = 1; ; attempt++) {
    // What memory says is checked by the transaction; only a refusal needs the newest state.
    const known = attempt === 1 ? await guardOf(deps, fence, { kind: 'any' }) : undefined;
    const guard = known ?? (await guardOf(deps, fence, { kind: 'consistent' }));
    if (!guard) throw newFenced(`${fence.namespace}/${fence.name}`, fence.transitions);
    try {
      return await write({ guards: new Map([guard]) });
    } catch (error) {
      if (!isStorageError(error, 'guard') || attempt >= ATTEMPTS) throw error;
    }
  }
}
