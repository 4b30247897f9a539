import { Readable } from 'node:stream';
import { createGzip, gzip } from 'node:zlib';
import type { FastifyReply } from 'fastify';
import type { Status } from '@orrery/apimachinery';
import type { ApiRequest } from '../filters/api-request.js';
import { MEDIA_TYPES, negotiate } from '../negotiation/accept.js';
import type { Negotiated } from '../negotiation/accept.js';
import { encodeDocument } from '../negotiation/encode-document.js';

/** Answers smaller than this are never compressed (k8s responsewriters/writers.go:defaultGzipThresholdBytes). */
const GZIP_THRESHOLD = 128 * 1024;
/** Larger answers are written in slices, so that no write holds up the event loop. */
const STREAM_THRESHOLD = 1024 * 1024;

const isControl = (character: string): boolean => character < ' ' || character === '\x7f';

const escapeWarning = (text: string): string =>
  Array.from(text)
    .filter((character) => !isControl(character))
    .join('')
    .replace(/(["\\])/g, '\\$1');

/** Sets the `Warning` headers that the request has gathered. */
export function setWarnings(request: ApiRequest | undefined, reply: FastifyReply): void {
  if (!request || request.warnings.size === 0) return;
  void reply.header(
    'warning',
    [...request.warnings].map((text) => `299 - "${escapeWarning(text)}"`),
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

/** Sends bytes that are ready, compressed when large and the client agrees. */
export async function sendBytes(
  request: ApiRequest | undefined,
  reply: FastifyReply,
  body: Body,
): Promise<void> {
  setWarnings(request, reply);
  const size = body.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  void reply.code(body.status ?? 200).header('content-type', body.contentType);
  const compress = size > GZIP_THRESHOLD && wantsGzip(request);
  if (compress) void reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding');
  if (size > STREAM_THRESHOLD) {
    const slices = Readable.from(body.chunks, { objectMode: false });
    await reply.send(compress ? slices.pipe(createGzip({ level: 1 })) : slices);
    return;
  }
  const whole =
    body.chunks.length === 1 && body.chunks[0] ? body.chunks[0] : Buffer.concat(body.chunks);
  await reply.send(compress ? await deflate(whole) : whole);
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
  reply: FastifyReply,
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
export function sendStatus(
  request: ApiRequest | undefined,
  reply: FastifyReply,
  status: Status,
): void {
  const retry = status.details?.retryAfterSeconds;
  if (retry !== undefined) void reply.header('retry-after', String(retry));
  void sendDocument(request, reply, status, status.code ?? 200);
}
