import { AsyncLocalStorage } from 'node:async_hooks';
import type { KubeObject, Reaction } from '@orrery/apimachinery';

const current = new AsyncLocalStorage<Reaction>();

/**
 * Runs `body`, whose writes tell the server what they react to (header Orrery-Cause), as do those of everything that it
 * starts. Long-lived loops must be told anew with each event.
 */
export function reactingTo<T>(reaction: Reaction, body: () => T): T {
  return current.run(reaction, body);
}

/** What the writes made here and now react to. */
export const currentReaction = (): Reaction | undefined => current.getStore();

/** The revision of an object as it was read or as an event brought it; undefined = it has none. */
export function revisionOf({ metadata }: Pick<KubeObject, 'metadata'>): number | undefined {
  const revision = Number(metadata.resourceVersion ?? 0);
  return Number.isSafeInteger(revision) && revision > 0 ? revision : undefined;
}
