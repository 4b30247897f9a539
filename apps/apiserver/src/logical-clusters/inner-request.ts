import type { SentAbout } from '@orrery/registry';
import type { ApiRequest, ShownMoment } from '../filters/api-request.js';
import { parseRequestInfo } from '../filters/request-info.js';
import type { RequestInfo } from '../filters/request-info.js';
import type { ClusterPath } from './cluster-path.js';

/** A request as the logical cluster sees it: its path without what leads to the cluster. */
export class InnerRequest implements ApiRequest {
  readonly info: RequestInfo;
  readonly basePath: string;
  readonly path: string;

  constructor(
    private readonly outer: ApiRequest,
    { basePath, inside }: ClusterPath,
    readonly shows?: ShownMoment,
  ) {
    this.basePath = basePath;
    this.path = inside || '/';
    this.info = parseRequestInfo(outer.method, this.path, outer.query);
  }

  get method(): string {
    return this.outer.method;
  }

  get query(): URLSearchParams {
    return this.outer.query;
  }

  get headers(): ApiRequest['headers'] {
    return this.outer.headers;
  }

  get body(): Buffer {
    return this.outer.body;
  }

  get reply(): ApiRequest['reply'] {
    return this.outer.reply;
  }

  get raw(): ApiRequest['raw'] {
    return this.outer.raw;
  }

  get context(): ApiRequest['context'] {
    return this.outer.context;
  }

  get warnings(): ReadonlySet<string> {
    return this.outer.warnings;
  }

  setUser(user: ApiRequest['context']['user']): void {
    this.outer.setUser(user);
  }

  setSentAbout(sentAbout: SentAbout): void {
    this.outer.setSentAbout(sentAbout);
  }

  abort(reason: Error): void {
    this.outer.abort(reason);
  }
}
