import { StatusError } from '@orrery/apimachinery';

export type WireFormat = 'json' | 'yaml' | 'protobuf';

/** The representation that a client asked for. */
export interface Negotiated {
  readonly format: WireFormat;
  /** Table, PartialObjectMetadata or PartialObjectMetadataList in place of the object itself. */
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of meta.k8s.io for `as`. */
  readonly version: 'v1' | 'v1beta1';
  readonly pretty: boolean;
}

export const MEDIA_TYPES: Readonly<Record<WireFormat, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
};

interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

/** Clients send few different headers; one that sends many is not remembered. */
const MOST_REMEMBERED = 200;
const remembered = new Map<string, readonly MediaRange[]>();

/** Splits an Accept header; ranges in order of quality, then as written. */
export function parseAccept(header: string): readonly MediaRange[] {
  const known = remembered.get(header);
  if (known) return known;
  const ranges = splitAccept(header);
  if (remembered.size < MOST_REMEMBERED && header.length < 1000) remembered.set(header, ranges);
  return ranges;
}

/** Ranges of one header that are looked at. */
const MOST_RANGES = 200;

function splitAccept(header: string): MediaRange[] {
  return header
    .split(',', MOST_RANGES)
    .map((part) => {
      const [type = '', ...rest] = part.split(';').map((piece) => piece.trim());
      const parameters = Object.fromEntries(
        rest.map((piece) => {
          const [name = '', value = ''] = piece.split('=');
          return [name.trim().toLowerCase(), value.trim().replace(/^"|"$/g, '')];
        }),
      );
      const quality = parameters['q'] === undefined ? 1 : Number(parameters['q']);
      return { type: type.toLowerCase(), parameters, quality };
    })
    .filter((range) => range.type !== '' && range.quality >= 0)
    .sort((a, b) => b.quality - a.quality);
}

function formatOf(
  type: string,
  as: string | undefined,
  { offered, partialAlone = [] }: AcceptInput,
): WireFormat | undefined {
  if (type === '*/*' || type === 'application/*') return offered[0];
  const taken = as?.startsWith('Partial') ? [...offered, ...partialAlone] : offered;
  return taken.find((format) => MEDIA_TYPES[format] === type);
}

const AS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const;

const isCurl = (userAgent: string): boolean => /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent);

function wantsPretty(query: URLSearchParams, userAgent: string): boolean {
  const pretty = query.get('pretty');
  if (pretty !== null) return pretty !== 'false' && pretty !== '0';
  return isCurl(userAgent);
}

/** 406 naming what there is. */
export function notAcceptable(offered: readonly WireFormat[]): StatusError {
  const types = offered.map((format) => MEDIA_TYPES[format]).join(', ');
  return new StatusError(
    406,
    'NotAcceptable',
    `only the following media types are accepted: ${types}`,
  );
}

export interface AcceptInput {
  readonly accept: string | undefined;
  readonly userAgent: string;
  readonly query: URLSearchParams;
  /** First = what a client without preference gets. */
  readonly offered: readonly WireFormat[];
  /** Formats of PartialObjectMetadata alone, behind those. */
  readonly partialAlone?: readonly WireFormat[];
  /** False where there is no table form (Status, subresources of other kinds). */
  readonly transformable: boolean;
}

/** Chooses the representation (k8s apiserver pkg/endpoints/handlers/negotiation/negotiate.go). Throws 406. */
export function negotiate(input: AcceptInput): Negotiated {
  const { accept, query, userAgent, offered, transformable, partialAlone = [] } = input;
  const pretty = wantsPretty(query, userAgent);
  const fallback = offered[0] ?? 'json';
  if (!accept) return { format: fallback, version: 'v1', pretty };
  for (const { type, parameters } of parseAccept(accept)) {
    const as = parameters['as'];
    const format = formatOf(type, as, input);
    if (!format) continue;
    if (as === undefined) return { format, version: 'v1', pretty };
    const known = AS.find((name) => name === as);
    const { g, v } = parameters;
    const version = v === 'v1' || v === 'v1beta1' ? v : undefined;
    if (!transformable || !known || g !== 'meta.k8s.io' || !version) continue;
    if (known === 'Table' && format === 'protobuf') continue;
    return { format, as: known, version, pretty };
  }
  throw notAcceptable([...offered, ...partialAlone]);
}
