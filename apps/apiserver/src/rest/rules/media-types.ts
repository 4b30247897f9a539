import { StatusError } from '@orrery/apimachinery';
import { mediaTypeOf, unsupported } from '../../negotiation/decode-body.js';
import { requireRoute } from '../../negotiation/produced.js';
import type { Call } from '../call.js';
import { negotiateFor } from '../respond.js';

export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

const STREAMED = [
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
];

/** The route of a built-in kind is not found, which is told by the router (emicklei/go-restful jsr311.go). */
const noConsumer = (): StatusError =>
  new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', { details: {} });

/** Refuses media types before anything is looked for. */
export function refuseMediaTypes(call: Call, verb: string): void {
  const isCustom = call.resource.custom !== undefined;
  if (!isCustom) {
    const streamed = verb === 'list' || verb === 'watch' ? STREAMED : [];
    requireRoute(call.request.headers.accept, undefined, streamed);
  }
  negotiateFor(call);
  if (verb !== 'patch') return;
  const type = mediaTypeOf(call.request.headers['content-type']);
  const accepted = [JSON_PATCH, MERGE_PATCH, ...(isCustom ? [] : [STRATEGIC_PATCH]), APPLY_PATCH];
  if (!accepted.includes(type)) throw isCustom ? unsupported(type, accepted) : noConsumer();
}
