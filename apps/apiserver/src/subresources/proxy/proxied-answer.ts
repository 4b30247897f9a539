import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';
import type { Duplex } from 'node:stream';
import { createDeflateRaw, createGunzip, createGzip, createInflateRaw } from 'node:zlib';
import { endToEndHeaders } from '../forwarded-headers.js';
import { throughProxy } from './link-prefix.js';
import type { ProxiedPage } from './link-prefix.js';
import { HtmlLinks } from './rewrite-html.js';

/** What a back-end says of origins would count for the API server's. */
const CORS = [
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
];

/** Where a page of this encoding is unpacked and packed again; undefined = it is not understood and its links stay. */
const CODECS: Readonly<
  Record<string, (() => readonly [] | readonly [Duplex, Duplex]) | undefined>
> = {
  '': () => [],
  gzip: () => [createGunzip(), createGzip()],
  deflate: () => [createInflateRaw(), createDeflateRaw({ level: 9 })],
};

function codecOf(
  headers: IncomingHttpHeaders,
): readonly [] | readonly [Duplex, Duplex] | undefined {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  const encoding = headers['content-encoding'] ?? '';
  if (headers.location !== undefined || type.trim() !== 'text/html') return undefined;
  return Object.hasOwn(CODECS, encoding) ? CODECS[encoding]?.() : undefined;
}

/** The back-end's headers behind this server's, as Go's ReverseProxy adds them. */
const withOwn = (theirs: OutgoingHttpHeaders, own: OutgoingHttpHeaders): OutgoingHttpHeaders => ({
  ...theirs,
  ...Object.fromEntries(
    Object.entries(own).map(([name, value]) => [
      name,
      [value, theirs[name]]
        .flat()
        .filter((one) => one !== undefined)
        .map(String),
    ]),
  ),
});

/**
 * Writes a back-end's answer to a client: redirects and the links of HTML pages go through the proxy
 * (k8s apimachinery pkg/util/proxy/transport.go:RoundTrip, upgradeaware.go:removeCORSHeaders).
 */
export function writeProxied(
  answer: IncomingMessage,
  raw: ServerResponse,
  page: ProxiedPage & { readonly own: OutgoingHttpHeaders },
  hasBody: boolean,
): void {
  const headers: OutgoingHttpHeaders = endToEndHeaders(answer.headers);
  for (const name of CORS) delete headers[name];
  if (answer.headers.location !== undefined) {
    headers['location'] = throughProxy(answer.headers.location, page);
  }
  const codec = hasBody ? codecOf(answer.headers) : undefined;
  if (codec) delete headers['content-length'];
  raw.writeHead(answer.statusCode ?? 502, withOwn(headers, page.own));
  const links = codec ? [new HtmlLinks((link) => throughProxy(link, page))] : [];
  const [unpack, pack] = codec ?? [];
  const steps = [...(unpack ? [unpack] : []), ...links, ...(pack ? [pack] : [])];
  // A stream that breaks takes the others with it: the client sees an answer that was cut.
  pipeline([answer, ...steps, raw], () => undefined);
}
