import type { IncomingHttpHeaders } from 'node:http';
import { REACTION_HEADER, parseReaction } from '@orrery/apimachinery';
import type { Reaction } from '@orrery/apimachinery';
import type { RequestContext, RequestOrigin } from '@orrery/registry';
import { parseRequestInfo } from './request-info.js';
import type { RequestInfo } from './request-info.js';

type Asker = Pick<RequestContext, 'user' | 'userAgent' | 'warn'>;

export interface Asked {
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** What the client says that it reacts to; of strangers nothing counts, and what is malformed is warned of. */
function reactionOf(asker: Asker, header: string): Reaction | undefined {
  if (!asker.user.groups.includes('system:authenticated')) return undefined;
  const reaction = parseReaction(header);
  if (!reaction) asker.warn(`the header ${REACTION_HEADER} is malformed and was ignored`);
  return reaction;
}

/** What a fork is asked, which stands behind the fork's own path. */
const insideFork = ({ path, verb }: RequestInfo, query: URLSearchParams): RequestInfo =>
  parseRequestInfo(verb.toUpperCase(), path.replace(/^\/+forks\/+[^/]+/, ''), query);

/** What is recorded of a request with what it writes. */
export function originOf(asker: Asker, { info: asked, query, headers }: Asked): RequestOrigin {
  const info = asked.isResource ? asked : insideFork(asked, query);
  const header = headers[REACTION_HEADER];
  const reaction = typeof header === 'string' ? reactionOf(asker, header) : undefined;
  const manager = query.get('fieldManager') || asker.userAgent.split('/')[0];
  return {
    verb: info.verb,
    ...(info.subresource ? { subresource: info.subresource } : {}),
    ...(manager ? { manager } : {}),
    ...(reaction ? { reaction } : {}),
  };
}
