import type { KubeObject, Status } from '@orrery/apimachinery';
import { StatusError } from '@orrery/apimachinery';
import type { WatchEvent } from './client.js';
import { toStatusError } from './answer.js';
import { LineSplitter } from './line-splitter.js';
import type { Transport } from './transport.js';
import { withoutManagedFields } from './without-managed-fields.js';

/** Set on the bookmark that ends the initial events (KEP-3157). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

interface Frame {
  readonly type: string;
  readonly object: KubeObject;
}

/** Decodes one frame; throws StatusError for an ERROR frame. */
export function decodeFrame<T extends KubeObject>(line: string): WatchEvent<T> {
  const { type, object } = JSON.parse(line) as Frame;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: object as T };
    case 'BOOKMARK':
      return {
        type,
        resourceVersion: object.metadata.resourceVersion ?? '',
        initialEventsEnd: object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true',
      };
    case 'ERROR':
      throw StatusError.fromStatus(object as unknown as Status);
    default:
      throw new StatusError(500, 'Unknown', `the watch sent an unknown event type ${type}`);
  }
}

interface StreamOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly withoutManagedFields?: boolean;
}

/** The events of one watch request, until the server ends it. */
export async function* watchStream<T extends KubeObject>(
  transport: Transport,
  path: string,
  options: StreamOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { withoutManagedFields: isLess = false } = options;
  for await (const line of lineStream(transport, path, options))
    yield decodeFrame<T>(isLess ? withoutManagedFields(line) : line);
}

/** The lines of one answer, until the server ends it. */
export async function* lineStream(
  transport: Transport,
  path: string,
  options: StreamOptions,
): AsyncGenerator<string> {
  const { signal } = options;
  const { code, body, isWhole } = await transport.stream({
    path,
    signal,
    timeoutMs: options.timeoutMs,
  });
  if (code !== 200) throw toStatusError({ code, body: await transport.readAll(body, signal) });
  const lines = new LineSplitter();
  try {
    for await (const chunk of body) yield* lines.push(chunk as Buffer);
    if (!isWhole()) throw new Error('the connection was cut');
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw transport.failure(error);
  } finally {
    body.destroy();
  }
}
