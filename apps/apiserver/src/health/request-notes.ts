/**
 * What the metrics of a request tell besides its time, noted where it is known: by the answer or the context, since
 * these are at hand there.
 */
const sent = new WeakMap<object, number>();
const waited = new WeakMap<object, number>();

/** Notes the bytes of an answer. */
export function noteSent(answer: object, bytes: number): void {
  sent.set(answer, bytes);
}

export const sentBytes = (answer: object): number | undefined => sent.get(answer);

/** Notes time that a request waited for others: in queues, for webhooks. */
export function noteWaited(context: object, ms: number): void {
  waited.set(context, (waited.get(context) ?? 0) + ms);
}

export const waitedMs = (context: object): number => waited.get(context) ?? 0;
