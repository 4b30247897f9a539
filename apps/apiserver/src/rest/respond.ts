import { ProtobufError, StatusError, newBadRequest, toApiVersion } from '@orrery/apimachinery';
import { giveWay, inTurns } from '@orrery/component';
import type { ObjectList, Representation } from '@orrery/registry';
import { MEDIA_TYPES, negotiate } from '../negotiation/accept.js';
import type { Negotiated, WireFormat } from '../negotiation/accept.js';
import { encodeYamlAside } from '../negotiation/decode-aside.js';
import { encodeDocument } from '../negotiation/encode-document.js';
import { encodeListJson } from '../negotiation/encode-list.js';
import { internalType } from '../negotiation/registered-kinds.js';
import { protobuf } from '../negotiation/schemas.js';
import type { IncludeObject } from '../negotiation/table.js';
import { tableHead, toPartial, toRow, toTable } from '../negotiation/table.js';
import type { Call } from './call.js';
import { sendBytes } from './send.js';

const BUILT_IN: readonly WireFormat[] = ['json', 'yaml', 'protobuf'];
/** Objects without a message; their metadata has one. */
const CUSTOM: readonly WireFormat[] = ['json', 'yaml'];
const OF_METADATA: readonly WireFormat[] = ['protobuf'];

/** Chooses the representation; `only` narrows the formats. */
export function negotiateFor(
  { request, resource }: Call,
  only: readonly WireFormat[] = BUILT_IN,
): Negotiated {
  const narrowed = (formats: readonly WireFormat[]): readonly WireFormat[] =>
    formats.filter((format) => only.includes(format));
  return negotiate({
    accept: request.headers.accept,
    userAgent: request.context.userAgent,
    query: request.query,
    offered: narrowed(resource.custom ? CUSTOM : BUILT_IN),
    partialAlone: narrowed(resource.custom ? OF_METADATA : []),
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

/** What upstream holds the object in. */
const goTypeOf = ({ resource: { kind, custom } }: Call): string =>
  custom ? '*unstructured.Unstructured' : `*${internalType(kind.group, kind.kind)}`;

/** Another form than the one asked for (k8s apiserver pkg/endpoints/handlers/response.go:newNotAcceptableError). */
const notAsked = (message: string): StatusError => new StatusError(406, 'NotAcceptable', message);

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
  } else if (negotiated.as === 'PartialObjectMetadataList') {
    // What has no struct of its own is taken for a list until its items are asked for.
    if (call.resource.custom) throw new StatusError(500, '', 'content is not a list');
    throw notAsked(
      `you requested PartialObjectMetadataList, but the requested object is not a list (${goTypeOf(call)})`,
    );
  } else if (negotiated.as === 'PartialObjectMetadata') {
    await send(call, negotiated, toPartial(representation.object, negotiated.version), status);
  } else if (negotiated.format === 'json' && !negotiated.pretty) {
    await sendBytes(call.request, call.request.reply, {
      status,
      contentType: contentTypeOf('json'),
      // The object itself is not parsed for this.
      chunks: [representation.bytes],
    });
  } else if (negotiated.format === 'yaml') {
    await sendBytes(call.request, call.request.reply, {
      status,
      contentType: contentTypeOf('yaml'),
      chunks: [await encodeYamlAside([representation.bytes])],
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

/** Bytes of an item from which on it is written in steps. */
const LARGE = 128 * 1024;

/** Items that are joined in one go, before others have their turn. */
const TURN = 2000;

const OPEN = Buffer.from('{');
const COMMA_OPEN = Buffer.from(',{');
const COMMA = Buffer.from(',');
const END = Buffer.from(']}');

/** The list as JSON, of the items' own bytes. Items of built-in lists leave out kind and apiVersion. */
async function joinItems(call: Call, list: ObjectList): Promise<Buffer[]> {
  const { custom } = call.resource;
  const head = JSON.stringify(listHead(call, list));
  const chunks: Buffer[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)];
  let i = 0;
  for (const { bytes, typeEnd } of list.items) {
    if (i > 0 && i % TURN === 0) await giveWay();
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

/** What a list is without its items. */
/** Lists of custom resources name it even where nothing goes on: they are no structs. */
const NO_CONTINUE = { continue: '' };

function listHead(call: Call, list: ObjectList): Record<string, unknown> {
  const { kind, custom } = call.resource;
  return {
    kind: `${kind.kind}List`,
    apiVersion: toApiVersion(kind.group, kind.version),
    metadata: { ...(custom ? NO_CONTINUE : {}), ...listMetaOf(list) },
  };
}

/** Items of built-in lists leave out kind and apiVersion. */
function withoutType({ object }: Representation): object {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return rest;
}

const wholeObject = ({ object }: Representation): object => object;

/** A list as it goes out: all but the items, the field that these are in, and how each is written. */
interface Shown {
  readonly head: Record<string, unknown>;
  readonly field: 'items' | 'rows';
  readonly toItem: (item: Representation) => object;
}

function shownAs(call: Call, list: ObjectList, negotiated: Negotiated): Shown {
  const { kind, custom } = call.resource;
  const metadata = listMetaOf(list);
  if (negotiated.as === 'Table') {
    const options = { ...tableOptionsOf(call, negotiated), metadata };
    return {
      head: tableHead(kind, options),
      field: 'rows',
      toItem: (item) => toRow(kind, item, options),
    };
  }
  if (!negotiated.as)
    return {
      head: listHead(call, list),
      field: 'items',
      toItem: custom ? wholeObject : withoutType,
    };
  if (negotiated.as === 'PartialObjectMetadata')
    throw notAsked(
      `you requested PartialObjectMetadata, but the requested object is a list (${goTypeOf(call)}List)`,
    );
  const apiVersion = `meta.k8s.io/${negotiated.version}`;
  return {
    head: { kind: 'PartialObjectMetadataList', apiVersion, metadata },
    field: 'items',
    toItem: ({ object }) => toPartial(object, negotiated.version),
  };
}

interface Encoded {
  readonly chunks: readonly Buffer[];
  readonly format: WireFormat;
}

/** In protobuf; undefined for what has no message there, a Table or a custom kind. */
async function inProtobuf(
  { head, field, toItem }: Shown,
  { items }: ObjectList,
): Promise<Encoded | undefined> {
  if (field === 'rows') return undefined;
  try {
    const steps = protobuf().encodeListSteps(head, madeOneByOne(items, toItem));
    return { chunks: await inTurns(steps), format: 'protobuf' };
  } catch (error) {
    if (error instanceof ProtobufError) return undefined;
    throw error;
  }
}

/** What is to be done of a large item before it is shown; nothing where it is known. */
const unreadOf = (item: Representation): Iterator<unknown, unknown> | undefined =>
  item.readSteps?.('object') ?? (item.bytes.length > LARGE ? [].values() : undefined);

/** Each item in its turn; undefined = the next one takes longer. */
function* madeOneByOne(
  items: readonly Representation[],
  toItem: Shown['toItem'],
): Generator<object | undefined, void> {
  for (const item of items) {
    const unread = item.readSteps?.('object');
    if (unread) yield* unread;
    yield toItem(item);
  }
}

async function encodeList(call: Call, list: ObjectList, negotiated: Negotiated): Promise<Encoded> {
  const { format, pretty, as } = negotiated;
  const shown = shownAs(call, list, negotiated);
  const found = format === 'protobuf' ? await inProtobuf(shown, list) : undefined;
  if (found) return found;
  const isReady = !as && !(pretty && format === 'json');
  const chunks = isReady
    ? await joinItems(call, list)
    : await encodeListJson(
        shown.head,
        shown.field,
        { items: list.items, toItem: shown.toItem, unread: unreadOf },
        pretty && format === 'json',
      );
  return format === 'yaml'
    ? { chunks: [await encodeYamlAside(chunks)], format }
    : { chunks, format: 'json' };
}

/** Sends a list in the representation asked for; others have their turn while it is made. */
export async function sendList(call: Call, list: ObjectList): Promise<void> {
  const { chunks, format } = await encodeList(call, list, negotiateFor(call));
  await sendBytes(call.request, call.request.reply, {
    contentType: contentTypeOf(format),
    chunks,
  });
}
