import { StatusError } from '@orrery/apimachinery';
import type { ApiRequest } from '../filters/api-request.js';
import type { RequestInfo } from '../filters/request-info.js';
import type { LogicalCluster } from '../logical-clusters/logical-cluster.js';
import type { SubresourceHandler } from '../subresources.js';

const READS = new Set(['get', 'list', 'watch', 'head', 'options']);

/** 405 for whatever cannot be done to the past, with the way out. */
export function readOnly(
  revision: number,
  { verb, resource, subresource }: RequestInfo,
): StatusError {
  const what = subresource ? `${resource}/${subresource}` : resource;
  return new StatusError(
    405,
    'MethodNotAllowed',
    `the past is read-only: this is the cluster as it was at revision ${revision}, where ${verb} of ${what || 'this path'} is not possible; use a context of the live cluster, or make a writable copy of this moment: orrery fork --at ${revision}`,
    { details: what ? { kind: what } : {} },
  );
}

/** 405 for what only a process could answer. */
function unrecordedRead(revision: number, info: RequestInfo): StatusError {
  const what = info.isResource ? `${info.resource}/${info.subresource}` : info.path;
  return new StatusError(
    405,
    'MethodNotAllowed',
    `the history holds objects, no processes: at revision ${revision} there is no ${what} to ask; use a context of the live cluster`,
    { details: info.isResource ? { kind: what } : {} },
  );
}

/** Subresources that ask processes, of which there is no history: refused instead of answered by the present. */
export const unrecorded = (
  handlers: readonly SubresourceHandler[],
  revision: number,
): SubresourceHandler[] =>
  handlers.map((handler) => {
    if (handler.strategy) return handler;
    return {
      ...handler,
      handle: ({ request }) => Promise.reject(unrecordedRead(revision, request.info)),
      upgrade: ({ request }) => Promise.reject(unrecordedRead(revision, request.info)),
    };
  });

export interface ReadOnlyOptions {
  readonly revision: number;
  /** Whether a POST asks a question of the server, as SelfSubjectAccessReview does. */
  isQuestion(info: RequestInfo): boolean;
  /** Says what is left where the revision was compacted under the request. */
  explain(error: StatusError): Promise<StatusError>;
}

/** Lets reads through, and the reviews that are answered without writing anything. */
export class ReadOnlyHandler {
  constructor(
    private readonly inner: LogicalCluster['handler'],
    private readonly options: ReadOnlyOptions,
  ) {}

  async handle(request: ApiRequest): Promise<void> {
    const { info } = request;
    const { revision } = this.options;
    if (info.path === '/metrics') throw unrecordedRead(revision, info);
    const isAsking = info.verb === 'create' && info.isResource && this.options.isQuestion(info);
    if (!READS.has(info.verb) && !isAsking) throw readOnly(revision, info);
    try {
      await this.inner.handle(request);
    } catch (error) {
      const isGone = error instanceof StatusError && error.code === 410;
      throw isGone ? await this.options.explain(error) : error;
    }
  }
}
