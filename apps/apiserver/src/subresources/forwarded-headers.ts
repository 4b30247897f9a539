import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Headers that end at this hop (RFC 9110 7.6.1). */
const HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Those, and what speaks to the API server alone. */
const OWN = new Set([
  ...HOP,
  'proxy-authenticate',
  'proxy-authorization',
  'content-length',
  'host',
  'authorization',
  'expect',
]);

/** Names that begin with a colon are HTTP/2's own. */
const isOwn = (name: string): boolean =>
  OWN.has(name) ||
  name.startsWith(':') ||
  name.startsWith('impersonate-') ||
  name.startsWith('x-remote-');

/** The headers of a back-end's answer without those that end at this hop; HTTP/2 forbids them. */
export const endToEndHeaders = (headers: IncomingHttpHeaders): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.includes(name)));

/** The client's headers without credentials and without what belongs to the connection. */
export function forwardedHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const listed = new Set(
    (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()),
  );
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => value !== undefined && !isOwn(name) && !listed.has(name),
    ),
  );
}

const BEARER_PROTOCOL = 'base64url.bearer.authorization.k8s.io.';

/** As above, with what asks for the switch of protocols; a token among the WebSocket subprotocols stays here. */
export function upgradeHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const kept = forwardedHeaders({ ...headers, connection: '' });
  const protocols = (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && !one.startsWith(BEARER_PROTOCOL));
  delete kept['sec-websocket-protocol'];
  return {
    ...kept,
    connection: 'Upgrade',
    upgrade: headers.upgrade ?? '',
    ...(protocols.length > 0 ? { 'sec-websocket-protocol': protocols.join(', ') } : {}),
  };
}
