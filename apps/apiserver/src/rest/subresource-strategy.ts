import type { Strategy } from '@orrery/api';
import type { Call } from './call.js';

/** The strategy by which the request's subresource writes; none for the object itself. */
export function strategyFor(call: Call): { subresource?: string; strategy?: Strategy } {
  const { subresource } = call.request.info;
  if (subresource === '') return {};
  const { status } = call.resource.kind;
  if (call.strategy) return { subresource, strategy: call.strategy };
  return { subresource, ...(subresource === 'status' && status ? { strategy: status } : {}) };
}
