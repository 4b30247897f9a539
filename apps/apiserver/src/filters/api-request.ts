import type { IncomingMessage } from 'node:http';
import type { RequestContext, SentAbout, UserInfo } from '@orrery/registry';
import type { ApiReply } from '../transport/api-reply.js';
import type { RequestInfo } from './request-info.js';

/** The time that a view of the past shows. */
export interface ShownMoment {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** How fast a watch goes on from there; 0 = it catches up with the present at once. */
  readonly speed: number;
}

/** One request on its way through the chain; made before the guards run. */
export interface ApiRequest {
  readonly info: RequestInfo;
  readonly method: string;
  /** Inside the cluster that serves it: `/api/v1/pods` of `/at/41/api/v1/pods`. */
  readonly path: string;
  /** What stands in front of `path` in the client's URL (`/at/41`); '' in the live cluster. Absolute paths in answers begin with it. */
  readonly basePath: string;
  readonly query: URLSearchParams;
  /** By which the ages in tables are told; absent = by the present. */
  readonly shows?: ShownMoment;
  readonly headers: IncomingMessage['headers'];
  /** The body as it came; empty when there is none. */
  readonly body: Buffer;
  readonly reply: ApiReply;
  readonly raw: IncomingMessage;
  /** `user` is anonymous until the authentication guard has run; then replaced through {@link setUser}. */
  readonly context: RequestContext;
  /** Warnings gathered so far, each sent once. */
  readonly warnings: ReadonlySet<string>;
  setUser(user: UserInfo): void;
  /** Lets writes of this request record what its client had been sent. */
  setSentAbout(sentAbout: SentAbout): void;
  /** Ends the work for this request: aborts the context's signal. */
  abort(reason: Error): void;
}

/** Answers with `body`; the one way handlers that hold an ApiRequest reply. */
export interface ApiResponse {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}
