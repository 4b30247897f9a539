import { toApiVersion } from '@orrery/apimachinery';
import { machineTime } from '@orrery/component';
import type { Clock, Random } from '@orrery/component';
import type { Representation, WatchEvent, WatchRequest } from '@orrery/registry';
import { toApiError } from '../filters/to-api-error.js';
import { MEDIA_TYPES } from '../negotiation/accept.js';
import type { Negotiated, WireFormat } from '../negotiation/accept.js';
import { protobuf } from '../negotiation/schemas.js';
import { toPartial, toTable } from '../negotiation/table.js';
import { subjectOf } from '../faults/request-faults.js';
import type { RequestMetrics } from '../health/request-metrics.js';
import type { SentRevisions } from '../history/sent-revisions.js';
import type { RequestFaults } from '../faults/request-faults.js';
import { Frame, writeFrame } from '../transport/frame.js';
import { LineCache } from '../transport/line-cache.js';
import type { Call } from './call.js';
import { booleanOf, listRequestOf, numberOf } from './call.js';
import { negotiateFor, tableOptionsOf } from './respond.js';
import { setWarnings } from './send.js';

export interface WatchDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the server stops: watches end, so that clients go elsewhere. */
  readonly signal: AbortSignal;
  /** Told of each watch, so that they can be ended one by one before. */
  readonly watching?: (controller: AbortController) => () => void;
  readonly minRequestTimeoutMs: number;
  /** Told of each watch, so that one can be cut on purpose. */
  readonly faults?: RequestFaults;
  readonly metrics: RequestMetrics;
  /** Counts what clients are sent; the live cluster's alone. */
  readonly sent?: SentRevisions;
}

/** Formats that can be streamed. */
const STREAMS: readonly WireFormat[] = ['json', 'protobuf'];

/** Turns one event into one line of the stream. */
type Encoder = (event: WatchEvent) => Buffer;

/** Turns a batch into what is written of it. */
type BatchEncoder = (batch: readonly WatchEvent[]) => Frame;

const lines = new LineCache();

const frames = new WeakMap<readonly WatchEvent[], Map<string, Frame>>();

const frameOf = (batch: readonly WatchEvent[], encode: Encoder): Frame =>
  new Frame(batch.map(encode));

/** Encodes a batch once for all watchers that are handed the same array in the same form; tables are each watcher's own. */
function batchEncoderFor(call: Call, negotiated: Negotiated, clock: Clock): BatchEncoder {
  const encode = encoderFor(call, negotiated, clock);
  if (negotiated.as === 'Table') return (batch) => frameOf(batch, encode);
  const { format, as, version } = negotiated;
  const form = `${format}:${as ? version : ''}`;
  return (batch) => {
    let forms = frames.get(batch);
    if (!forms) frames.set(batch, (forms = new Map()));
    let frame = forms.get(form);
    if (!frame) forms.set(form, (frame = frameOf(batch, encode)));
    return frame;
  };
}

/** Events that are written in one go, and about how many bytes of them. */
const MOST_EVENTS = 100;
const MOST_BYTES = 256 * 1024;

type Batch = readonly WatchEvent[];

const sizeOf = (event: WatchEvent): number =>
  event.type === 'BOOKMARK' ? 0 : event.representation.bytes.length;

const cut = new WeakMap<Batch, readonly Batch[]>();

/**
 * A batch as it is; one that is long or large, such as the state that a watch begins with, in parts, each when the client has
 * read the last. It is cut once for all watchers, so that these share its bytes.
 */
function partsOf(batch: Batch): readonly Batch[] {
  if (batch.length < 2) return [batch];
  const known = cut.get(batch);
  if (known) return known;
  const parts: WatchEvent[][] = [];
  let [part, bytes]: [WatchEvent[], number] = [[], 0];
  for (const event of batch) {
    const size = sizeOf(event);
    if (part.length > 0 && (part.length === MOST_EVENTS || bytes + size > MOST_BYTES)) {
      parts.push(part);
      [part, bytes] = [[], 0];
    }
    part.push(event);
    bytes += size;
  }
  const whole = parts.length === 0 ? [batch] : [...parts, part];
  cut.set(batch, whole);
  return whole;
}

const line = (type: string, object: unknown): Buffer =>
  Buffer.from(`${JSON.stringify({ type, object })}\n`);

const LINE_END = Buffer.from('}\n');

const plainLine = (type: string, { bytes }: Representation): Buffer =>
  Buffer.concat([Buffer.from(`{"type":"${type}","object":`), bytes, LINE_END]);

function bookmarkMeta(event: WatchEvent & { type: 'BOOKMARK' }): Record<string, unknown> {
  return {
    resourceVersion: event.resourceVersion,
    ...(event.initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  };
}

/** Writes a document as one event: a line of JSON, or a frame of protobuf where that can carry it. */
function documentLine(format: WireFormat, type: string, document: object): Buffer {
  return format === 'protobuf' ? protobuf().encodeWatchFrame(type, document) : line(type, document);
}

/** The time that a watch shows at this moment: that of a view of the past goes on from there, at its speed. */
function shownTime({ request }: Call, clock: Clock): () => number {
  const { shows } = request;
  if (!shows || shows.speed === 0) return () => clock.now();
  const begunAt = clock.monotonic();
  return () => Math.min(clock.now(), shows.time + (clock.monotonic() - begunAt) * shows.speed);
}

function tableEncoder(call: Call, negotiated: Negotiated, clock: Clock): Encoder {
  const { kind } = call.resource;
  const fixed = tableOptionsOf(call, negotiated);
  const now = shownTime(call, clock);
  const apiVersion = toApiVersion(kind.group, kind.version);
  let first = true;
  return (event) => {
    const withColumns = first;
    first = false;
    const options = { ...fixed, now: now() };
    if (event.type === 'BOOKMARK') {
      const metadata = bookmarkMeta(event);
      const object = { kind: kind.kind, apiVersion, metadata };
      const table = toTable(kind, [], { ...options, metadata, withColumns });
      return line('BOOKMARK', { ...table, rows: [{ cells: [], object }] });
    }
    const { representation } = event;
    const { resourceVersion } = representation.object.metadata;
    const metadata = { resourceVersion };
    return line(event.type, toTable(kind, [representation], { ...options, metadata, withColumns }));
  };
}

/** The encoder of a watch in the representation asked for. */
export function encoderFor(call: Call, negotiated: Negotiated, clock: Clock): Encoder {
  const { kind } = call.resource;
  const { as, version, format } = negotiated;
  if (as === 'Table') return tableEncoder(call, negotiated, clock);
  const partial = as !== undefined;
  const form = `${format}:${partial ? version : ''}`;
  return (event) => {
    if (event.type === 'BOOKMARK') {
      const metadata = bookmarkMeta(event);
      const apiVersion = toApiVersion(kind.group, kind.version);
      const document = partial
        ? toPartial({ metadata }, version)
        : { kind: kind.kind, apiVersion, metadata };
      return documentLine(format, 'BOOKMARK', document);
    }
    const { type, representation } = event;
    return lines.lineOf(representation, `${type}:${form}`, () => {
      if (partial) return documentLine(format, type, toPartial(representation.object, version));
      return format === 'protobuf'
        ? documentLine(format, type, representation.object)
        : plainLine(type, representation);
    });
  };
}

/** Where the batches of one watch go. */
interface Sink {
  deliver(batch: readonly WatchEvent[]): Promise<void>;
  fail(error: unknown): void;
}

const endsInitialEvents = (event: WatchEvent | undefined): boolean =>
  event?.type === 'BOOKMARK' && event.initialEventsEnd;

const revisionOf = (event: WatchEvent | undefined): number =>
  event?.type === 'BOOKMARK' ? Number(event.resourceVersion) : (event?.revision ?? 0);

async function pump(
  request: WatchRequest,
  events: AsyncGenerator<readonly WatchEvent[], void>,
  sink: Sink,
): Promise<void> {
  try {
    for await (const batch of events) {
      if (request.signal.aborted) break;
      if (batch.length === 0) continue;
      await sink.deliver(batch);
    }
  } catch (error) {
    if (!request.signal.aborted) sink.fail(error);
  } finally {
    await events.return();
  }
}

function watchRequestOf(call: Call, signal: AbortSignal): WatchRequest {
  const { query } = call.request;
  const sendInitialEvents = booleanOf(query, 'sendInitialEvents');
  const { limit: _limit, ...rest } = listRequestOf(call);
  return {
    ...rest,
    ...(sendInitialEvents === undefined ? {} : { sendInitialEvents }),
    allowBookmarks: booleanOf(query, 'allowWatchBookmarks') ?? false,
    signal,
  };
}

interface WatchStart {
  readonly negotiated: Negotiated;
  readonly signal: AbortSignal;
  /** By the clock's monotonic time. */
  readonly startedAt: number;
}

/** What writes and counts the events of a watch. */
function sinkOf(call: Call, deps: WatchDeps, { negotiated, signal, startedAt }: WatchStart): Sink {
  const { request, resource } = call;
  const { raw } = request.reply;
  const encode = batchEncoderFor(call, negotiated, deps.clock);
  const count = deps.metrics.eventsOf(request.info);
  return {
    deliver: async (batch) => {
      count(batch.length);
      for (const part of partsOf(batch)) await writeFrame(raw, encode(part), signal);
      if (endsInitialEvents(batch.at(-1)))
        deps.metrics.watchListed(request.info, (deps.clock.monotonic() - startedAt) / 1000);
      deps.sent?.note(request.context, resource.kind, revisionOf(batch.at(-1)));
    },
    fail: (error) => {
      raw.write(documentLine(negotiated.format, 'ERROR', toApiError(error).status));
    },
  };
}

/** WATCH: headers at once, then one line per event until the client goes, the time is over or the server stops. */
export async function watch(call: Call, deps: WatchDeps): Promise<void> {
  const { request } = call;
  const startedAt = deps.clock.monotonic();
  const negotiated = negotiateFor(call, STREAMS);
  const seconds = numberOf(request.query, 'timeoutSeconds');
  const timeoutMs = seconds
    ? seconds * 1000
    : Math.round(deps.minRequestTimeoutMs * (1 + deps.random.next()));
  const timeUp = new AbortController();
  const signal = AbortSignal.any([request.context.signal, timeUp.signal, deps.signal]);
  // What cannot be watched is refused here: nothing is held for it.
  const watchRequest = watchRequestOf(call, signal);
  const events = call.resource.store.watch(watchRequest);
  const cancel = machineTime(deps.clock).after(timeoutMs, () => {
    timeUp.abort(new Error('the watch has reached its time limit'));
  });
  const ended = deps.watching?.(timeUp);
  let forget: (() => void) | undefined;
  try {
    const first = await events.next();
    const { raw } = request.reply;
    setWarnings(request, request.reply);
    request.reply.hijack();
    for (const [name, value] of Object.entries(request.reply.getHeaders()))
      if (value !== undefined) raw.setHeader(name, value);
    const { format } = negotiated;
    const contentType =
      format === 'json' ? MEDIA_TYPES.json : `${MEDIA_TYPES[format]};stream=watch`;
    raw.writeHead(200, { 'content-type': contentType });
    raw.flushHeaders();
    forget = deps.faults?.watching({
      subject: subjectOf(request),
      drop: () => raw.destroy(),
      fail: (error) => {
        raw.write(documentLine(format, 'ERROR', error.status));
        timeUp.abort(error);
      },
    });
    const sink = sinkOf(call, deps, { negotiated, signal, startedAt });
    if (!first.done && first.value.length > 0) await sink.deliver(first.value);
    await pump(watchRequest, events, sink);
    raw.end();
  } finally {
    forget?.();
    ended?.();
    cancel();
  }
}
