import { setImmediate } from 'node:timers/promises';
import { newBadRequest, toApiVersion } from '@orrery/apimachinery';
import type { ObjectList, Representation } from '@orrery/registry';
import { MEDIA_TYPES, negotiate } from '../negotiation/accept.js';
import type { Negotiated, WireFormat } from '../negotiation/accept.js';
import { encodeDocument, toJsonBytes } from '../negotiation/encode-document.js';
import type { IncludeObject } from '../negotiation/table.js';
import { toPartial, toTable } from '../negotiation/table.js';
import type { Call } from './call.js';
import { sendBytes } from './send.js';

const BUILT_IN: readonly WireFormat[] = ['json', 'yaml', 'protobuf'];
const CUSTOM: readonly WireFormat[] = ['json', 'yaml'];

/** Chooses the representation; `only` narrows the formats. */
export function negotiateFor(
  { request, resource }: Call,
  only: readonly WireFormat[] = BUILT_IN,
): Negotiated {
  return negotiate({
    accept: request.headers.accept,
    userAgent: request.context.userAgent,
    query: request.query,
    offered: (resource.custom ? CUSTOM : BUILT_IN).filter((format) => only.includes(format)),
    transformable: true,
  });
}

const INCLUDED = ['', 'None', 'Metadata', 'Object'];

export function tableOptionsOf(
  call: Call,
  negotiated: Negotiated,
): { version: 'v1' | 'v1beta1'; includeObject: IncludeObject; now: number } {
  const include = call.request.query.get('includeObject') ?? '';
  if (!INCLUDED.includes(include))
    throw newBadRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
    );
  return {
    version: negotiated.version,
    includeObject: include === 'None' || include === 'Object' ? include : 'Metadata',
    now: call.request.shows?.time ?? call.request.context.receivedAt,
  };
}

const contentTypeOf = (format: WireFormat): string => MEDIA_TYPES[format];

async function send(
  call: Call,
  negotiated: Negotiated,
  document: object,
  status: number,
): Promise<void> {
  const { bytes, format } = encodeDocument(document, negotiated);
  await sendBytes(call.request, call.request.reply, {
    status,
    contentType: contentTypeOf(format),
    chunks: [bytes],
  });
}

/** Sends one object in the representation asked for; plain JSON goes out as the stored bytes. */
export async function sendObject(
  call: Call,
  representation: Representation,
  status = 200,
): Promise<void> {
  const negotiated = negotiateFor(call);
  if (negotiated.as === 'Table') {
    const metadata = { resourceVersion: representation.object.metadata.resourceVersion };
    const options = { ...tableOptionsOf(call, negotiated), metadata };
    await send(call, negotiated, toTable(call.resource.kind, [representation], options), status);
  } else if (negotiated.as === 'PartialObjectMetadata') {
    await send(call, negotiated, toPartial(representation.object, negotiated.version), status);
  } else if (negotiated.format === 'json' && !negotiated.pretty) {
    await sendBytes(call.request, call.request.reply, {
      status,
      contentType: contentTypeOf('json'),
      // The object itself is not parsed for this.
      chunks: [representation.bytes],
    });
  } else {
    await send(call, negotiated, representation.object, status);
  }
}

function listMetaOf(list: ObjectList): Record<string, unknown> {
  return {
    resourceVersion: list.resourceVersion,
    ...(list.continueToken ? { continue: list.continueToken } : {}),
    ...(list.remainingItemCount ? { remainingItemCount: list.remainingItemCount } : {}),
  };
}

/** Items that are joined in one go, before others have their turn. */
const TURN = 2000;

const OPEN = Buffer.from('{');
const COMMA_OPEN = Buffer.from(',{');
const COMMA = Buffer.from(',');
const END = Buffer.from(']}');

/** The list as JSON, of the items' own bytes. Items of built-in lists leave out kind and apiVersion. */
async function joinItems(call: Call, list: ObjectList): Promise<Buffer[]> {
  const { kind, custom } = call.resource;
  const head = JSON.stringify({
    kind: `${kind.kind}List`,
    apiVersion: toApiVersion(kind.group, kind.version),
    metadata: listMetaOf(list),
  });
  const chunks: Buffer[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)];
  let i = 0;
  for (const { bytes, typeEnd } of list.items) {
    if (i > 0 && i % TURN === 0) await setImmediate();
    if (custom) {
      if (i > 0) chunks.push(COMMA);
      chunks.push(bytes);
    } else {
      chunks.push(i === 0 ? OPEN : COMMA_OPEN, bytes.subarray(typeEnd));
    }
    i += 1;
  }
  chunks.push(END);
  return chunks;
}

/** A list as a document, for the formats that need one. */
export function listDocument(call: Call, list: ObjectList): Record<string, unknown> {
  const { kind, custom } = call.resource;
  return {
    kind: `${kind.kind}List`,
    apiVersion: toApiVersion(kind.group, kind.version),
    metadata: listMetaOf(list),
    items: list.items.map(({ object }) => {
      if (custom) return object;
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
      return rest;
    }),
  };
}

/** Sends a list in the representation asked for. */
export async function sendList(call: Call, list: ObjectList): Promise<void> {
  const negotiated = negotiateFor(call);
  const metadata = listMetaOf(list);
  if (negotiated.as === 'Table') {
    const options = { ...tableOptionsOf(call, negotiated), metadata };
    await send(call, negotiated, toTable(call.resource.kind, list.items, options), 200);
  } else if (negotiated.as) {
    const document = {
      kind: 'PartialObjectMetadataList',
      apiVersion: `meta.k8s.io/${negotiated.version}`,
      metadata,
      items: list.items.map(({ object }) => toPartial(object, negotiated.version)),
    };
    await send(call, negotiated, document, 200);
  } else if (negotiated.format === 'json') {
    const chunks = negotiated.pretty
      ? [toJsonBytes(listDocument(call, list), true)]
      : await joinItems(call, list);
    await sendBytes(call.request, call.request.reply, {
      contentType: contentTypeOf('json'),
      chunks,
    });
  } else {
    await send(call, negotiated, listDocument(call, list), 200);
  }
}
