import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import { matchesRegex } from '@orrery/cel';
import { beforeRequests } from './before-requests.js';
import type { Response } from './before-requests.js';

/** k8s apiserver pkg/server/filters/cors.go:WithCORS. */
const METHODS = 'POST, GET, OPTIONS, PUT, DELETE, PATCH';
const HEADERS =
  'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since';

export interface AnswerHeaders {
  /** Regular expressions of origins that may read answers. */
  readonly origins: readonly string[];
  /** Directives of Strict-Transport-Security. */
  readonly transportSecurity: readonly string[];
}

/** Lets scripts of the given origins read answers, and answers what browsers ask before a request. True = it is answered. */
function answerOrigin(
  { origins }: AnswerHeaders,
  raw: IncomingMessage,
  response: Response,
): boolean {
  const { origin = '' } = raw.headers;
  if (origin === '' || !origins.some((pattern) => matchesRegex(origin, pattern))) return false;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Methods', METHODS);
  response.setHeader('Access-Control-Allow-Headers', HEADERS);
  response.setHeader('Access-Control-Expose-Headers', 'Date');
  response.setHeader('Access-Control-Allow-Credentials', 'true');
  if (raw.method !== 'OPTIONS') return false;
  response.writeHead(204).end();
  return true;
}

/** Puts the headers of --cors-allowed-origins and --strict-transport-security-directives on every answer of a server. */
export function addAnswerHeaders(server: Server, wanted: AnswerHeaders): void {
  const security = wanted.transportSecurity.join('; ');
  if (wanted.origins.length === 0 && security === '') return;
  beforeRequests(server, (raw, response) => {
    if (security !== '') response.setHeader('Strict-Transport-Security', security);
    return answerOrigin(wanted, raw, response);
  });
}
