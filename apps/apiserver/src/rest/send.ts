import { once } from 'node:events';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { createGzip, gzip } from 'node:zlib';
import type { Status } from '@orrery/apimachinery';
import { giveWay } from '@orrery/component';
import type { ApiRequest } from '../filters/api-request.js';
import type { ApiReply } from '../transport/api-reply.js';
import { MEDIA_TYPES, negotiate } from '../negotiation/accept.js';
import type { Negotiated } from '../negotiation/accept.js';
import { noteSent } from '../health/request-notes.js';
import { encodeDocument } from '../negotiation/encode-document.js';

/** Answers smaller than this are never compressed (k8s responsewriters/writers.go:defaultGzipThresholdBytes). */
const GZIP_THRESHOLD = 128 * 1024;
/** Larger answers are written in slices, so that no write holds up the event loop. */
const STREAM_THRESHOLD = 1024 * 1024;
const SLICE = 256 * 1024;

const isControl = (character: string): boolean => character < ' ' || character === '\x7f';

const escapeWarning = (text: string): string =>
  Array.from(text)
    .filter((character) => !isControl(character))
    .join('')
    .replace(/(["\\])/g, '\\$1');

/** Characters of all warnings of an answer; beyond, each is cut short (k8s apiserver pkg/endpoints/filters/warning.go). */
const MAX_WARNINGS = 4 * 1024;
const MAX_CUT_WARNING = 256;

/** What fits of the warnings: all of them whole, or as many as there is room for when each is cut. */
function fitting(warnings: readonly string[]): readonly string[] {
  const size = warnings.reduce((sum, text) => sum + text.length, 0);
  if (size <= MAX_WARNINGS) return warnings;
  let left = MAX_WARNINGS;
  return warnings
    .map((text) => text.slice(0, MAX_CUT_WARNING))
    .filter((text) => {
      left -= text.length;
      return left >= 0;
    });
}

/** Sets the `Warning` headers that the request has gathered. */
export function setWarnings(request: ApiRequest | undefined, reply: ApiReply): void {
  if (!request || request.warnings.size === 0) return;
  const escaped = [...request.warnings].map(escapeWarning);
  void reply.header(
    'warning',
    fitting(escaped).map((text) => `299 - "${text}"`),
  );
}

const wantsGzip = (request: ApiRequest | undefined): boolean =>
  /(^|,)\s*gzip\s*(,|;|$)/.test(request?.headers['accept-encoding'] ?? '');

function deflate(body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(body, { level: 1 }, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}

export interface Body {
  readonly status?: number;
  readonly contentType: string;
  readonly chunks: readonly Buffer[];
}

const joined = (chunks: readonly Buffer[], size: number): Buffer =>
  chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size);

/** Joins small chunks and cuts large ones, so that none is larger than a slice. */
function* slicesOf(chunks: readonly Buffer[]): Generator<Buffer, void> {
  let small: Buffer[] = [];
  let size = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + SLICE - size);
      small.push(part);
      [at, size] = [at + part.length, size + part.length];
      if (size < SLICE) continue;
      yield joined(small, size);
      [small, size] = [[], 0];
    }
  }
  if (size > 0) yield joined(small, size);
}

/** Writes in slices as fast as the client reads; between two, other requests get their turn. */
async function writeSlices(
  raw: ServerResponse,
  chunks: readonly Buffer[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const slice of slicesOf(chunks)) {
    // Of many that are written to at once, too: to encrypt takes its time.
    if (raw.write(slice)) await giveWay();
    else await Promise.all([once(raw, 'drain', signal ? { signal } : {}), giveWay()]);
  }
  raw.end();
}

async function sendCompressed(
  reply: ApiReply,
  chunks: readonly Buffer[],
  size: number,
): Promise<void> {
  void reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding');
  if (size <= STREAM_THRESHOLD) {
    await reply.send(await deflate(joined(chunks, size)));
    return;
  }
  const slices = Readable.from(chunks, { objectMode: false });
  await reply.send(slices.pipe(createGzip({ level: 1 })));
}

/** Sends bytes that are ready, compressed when large and the client agrees. */
export async function sendBytes(
  request: ApiRequest | undefined,
  reply: ApiReply,
  body: Body,
): Promise<void> {
  setWarnings(request, reply);
  const { chunks, contentType, status = 200 } = body;
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  noteSent(reply.raw, size);
  void reply.code(status).header('content-type', contentType);
  if (size > GZIP_THRESHOLD && wantsGzip(request)) {
    await sendCompressed(reply, chunks, size);
    return;
  }
  // What is ready needs nothing more of the framework.
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(status, { ...reply.getHeaders(), 'content-length': size } as OutgoingHttpHeaders);
  if (size <= SLICE) raw.end(joined(chunks, size));
  else await writeSlices(raw, chunks, request?.context.signal);
}

function formatFor(request: ApiRequest): Negotiated {
  const input = {
    accept: request.headers.accept,
    userAgent: request.context.userAgent,
    query: request.query,
    offered: ['json', 'yaml', 'protobuf'] as const,
    transformable: false,
  };
  try {
    return negotiate({ ...input, transformable: false });
  } catch {
    return negotiate({ ...input, accept: undefined });
  }
}

/** Sends a document that is no stored object (Status, discovery, reviews) in the client's format. */
export async function sendDocument(
  request: ApiRequest | undefined,
  reply: ApiReply,
  document: object,
  status = 200,
): Promise<void> {
  const negotiated: Negotiated = request
    ? formatFor(request)
    : { format: 'json', version: 'v1', pretty: false };
  const { bytes, format } = encodeDocument(document, negotiated);
  await sendBytes(request, reply, { status, contentType: MEDIA_TYPES[format], chunks: [bytes] });
}

/** Sends a Status with its own code. */
export function sendStatus(request: ApiRequest | undefined, reply: ApiReply, status: Status): void {
  const retry = status.details?.retryAfterSeconds;
  if (retry !== undefined) void reply.header('retry-after', String(retry));
  void sendDocument(request, reply, status, status.code ?? 200);
}
