import { mediaTypeOf, unsupported } from '../negotiation/decode-body.js';
import type { Call } from './call.js';

/** True for a server-side apply. */
export const isApply = (call: Call): boolean =>
  mediaTypeOf(call.request.headers['content-type']).startsWith('application/apply-patch');

/** Server-side apply. */
export async function apply(call: Call): Promise<void> {
  await Promise.resolve();
  throw unsupported(mediaTypeOf(call.request.headers['content-type']), [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
  ]);
}
