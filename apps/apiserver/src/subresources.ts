import type { Duplex } from 'node:stream';
import type { KubeObject } from '@orrery/apimachinery';
import type { KindDescriptor, RequestKind, Strategy } from '@orrery/api';
import type { ApiRequest, ApiResponse } from './filters/api-request.js';

/** What a subresource or request-kind handler answers: an object (encoded as the client accepts), bytes, or nothing when it has replied itself (reply.hijack()). */
export type HandlerResult =
  | {
      readonly object: KubeObject | Record<string, unknown>;
      readonly status?: number;
      readonly message?: string;
    }
  | ApiResponse
  | undefined;

export interface SubresourceContext {
  readonly request: ApiRequest;
  readonly kind: KindDescriptor;
  /** The decoded body when the handler names `bodyMessage`; else undefined. */
  readonly body: KubeObject | undefined;
  readonly dryRun: boolean;
}

/** One (resource, subresource); wins over the generic status and scale of the same name. */
export interface SubresourceHandler {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** Kind shown in discovery; group and version default to the parent's. */
  readonly kind: { readonly group?: string; readonly version?: string; readonly kind: string };
  readonly verbs: readonly ('get' | 'create' | 'update' | 'patch' | 'delete')[];
  /** Methods beside them that have no verb. */
  readonly methods?: readonly string[];
  /** Decode the body as this kind: schema name and protobuf message; absent = the handler reads request.body. */
  readonly body?: {
    readonly schema: string;
    readonly message: string;
    /** Further versions of the kind with the same fields. */
    readonly alsoVersions?: readonly string[];
  };
  /** Set when the subresource is the object itself under another update strategy: served by the generic get, update and patch. */
  readonly strategy?: Strategy;
  handle(context: SubresourceContext): Promise<HandlerResult>;
  /** Called for `Connection: Upgrade` requests after authn and authz, with the raw socket (HTTP/1.1 only). */
  upgrade?(context: UpgradeContext): Promise<void>;
}

export interface UpgradeContext {
  readonly request: Omit<ApiRequest, 'fastify' | 'reply' | 'setSentAbout'>;
  readonly kind: KindDescriptor;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** A kind that is POSTed and answered, never stored (TokenReview, SubjectAccessReview …). */
export interface RequestKindHandler {
  readonly kind: RequestKind;
  handle(context: {
    readonly request: ApiRequest;
    readonly body: KubeObject;
    readonly dryRun: boolean;
  }): Promise<KubeObject | Record<string, unknown>>;
}

/** A path outside /api and /apis (`/.well-known/openid-configuration`). `path` ends in `/` to take all below it. */
export interface PathHandler {
  readonly path: string;
  handle(request: ApiRequest): Promise<ApiResponse | undefined>;
}
