import type { IncomingHttpHeaders } from 'node:http';
import {
  FENCE_HEADER,
  REACTION_HEADER,
  newBadRequest,
  parseFence,
  parseReaction,
} from '@orrery/apimachinery';
import type { Fence, Reaction } from '@orrery/apimachinery';
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

/** The Lease that the client's writes need. One that cannot be read would protect nothing: such a request is refused. */
function fenceOf(header: string): Fence {
  const fence = parseFence(header);
  if (!fence)
    throw newBadRequest(
      `the header ${FENCE_HEADER} is not of the form namespace/name; transitions=n`,
    );
  return fence;
}

/** What a fork is asked, which stands behind the fork's own path. */
const insideFork = ({ path, verb }: RequestInfo, query: URLSearchParams): RequestInfo =>
  parseRequestInfo(verb.toUpperCase(), path.replace(/^\/+forks\/+[^/]+/, ''), query);

/** What is recorded of a request with what it writes. */
export function originOf(asker: Asker, { info: asked, query, headers }: Asked): RequestOrigin {
  const info = asked.isResource ? asked : insideFork(asked, query);
  const header = headers[REACTION_HEADER];
  const reaction = typeof header === 'string' ? reactionOf(asker, header) : undefined;
  const fence = headers[FENCE_HEADER];
  const manager = query.get('fieldManager') || asker.userAgent.split('/')[0];
  return {
    verb: info.verb,
    ...(info.subresource ? { subresource: info.subresource } : {}),
    ...(manager ? { manager } : {}),
    ...(reaction ? { reaction } : {}),
    ...(typeof fence === 'string' ? { fence: fenceOf(fence) } : {}),
  };
}
