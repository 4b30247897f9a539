import { StatusError } from '@orrery/apimachinery';
import type { SubresourceHandler } from '../subresources.js';

/** Subresources that reach the processes behind an object: in a fork they would be those of the live cluster. */
const LIVE_PROCESSES = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

function refusal(name: string, { resource, subresource }: SubresourceHandler): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    `${resource}/${subresource} is not possible in a fork: "${name}" has objects of its own, but the processes behind them are those of the live cluster, or none`,
  );
}

/** Refuses by name what would reach into the live cluster. */
export const withoutProcesses = (
  name: string,
  handlers: readonly SubresourceHandler[],
): SubresourceHandler[] =>
  handlers.map((handler) => {
    if (!LIVE_PROCESSES.has(handler.subresource)) return handler;
    const refuse = (): Promise<never> => Promise.reject(refusal(name, handler));
    return { ...handler, handle: refuse, ...(handler.upgrade ? { upgrade: refuse } : {}) };
  });
