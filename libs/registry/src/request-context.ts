import type { Fence, KubeObject, Reaction } from '@orrery/apimachinery';

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a request is beside its user; recorded with the writes it makes. */
export interface RequestOrigin {
  readonly verb: string;
  readonly subresource?: string;
  /** The field manager. */
  readonly manager?: string;
  /** Only of authenticated clients. */
  readonly reaction?: Reaction;
  /** The Lease without which nothing may be written. */
  readonly fence?: Fence;
}

/** Up to which revision a client had been sent events of an object and what belongs to it, by type; undefined = not known. */
export type SentAbout = (
  type: { readonly group: string; readonly kind: string },
  object: KubeObject,
) => Readonly<Record<string, number>> | undefined;

/** What the pipeline knows of the request it serves. */
export interface RequestContext {
  readonly user: UserInfo;
  readonly userAgent: string;
  readonly sourceIp?: string;
  readonly auditId: string;
  /** Absent = the server's own work. */
  readonly origin?: RequestOrigin;
  /** Of the client; absent where the server does not keep count. */
  readonly sentAbout?: SentAbout | undefined;
  /** Milliseconds since the epoch at which the request came in. */
  readonly receivedAt: number;
  /** Aborts when the client has gone or the request's deadline has passed. */
  readonly signal: AbortSignal;
  /** Adds a `Warning: 299` header to the answer; the same text is sent once. */
  warn(message: string): void;
  /** Adds an annotation to the audit event of the request, shown from `level` on (default Metadata); the first value of a key stays. */
  annotate?(key: string, value: string, level?: 'Metadata' | 'Request'): void;
}
