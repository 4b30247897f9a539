import type { Clock, Logger, Random } from '@orrery/component';
import type { AdmissionPlugin, ResourceStore } from '@orrery/registry';
import type { Storage } from '@orrery/storage';
import type { ApiServerOptions } from './config/options.js';
import { everybodyIsAdmin } from './filters/authentication.js';
import type { Authenticator } from './filters/authentication.js';
import { alwaysAllow } from './filters/authorization.js';
import type { Authorizer } from './filters/authorization.js';
import type { PathHandler, RequestKindHandler, SubresourceHandler } from './subresources.js';

/** What plug-ins of the server may use. */
export interface ServerServices {
  readonly options: ApiServerOptions;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends when the server stops: for watches that plug-ins hold. */
  readonly signal: AbortSignal;
  /** The store of a built-in kind. Throws when there is no such kind. */
  store(group: string, version: string, plural: string): ResourceStore;
}

/** Everything that plugs into the request chain; assembled once, before the server listens. */
export interface ServerExtensions {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** In the order in which they run. */
  readonly admission: readonly AdmissionPlugin[];
  readonly subresources: readonly SubresourceHandler[];
  readonly requestKinds: readonly RequestKindHandler[];
  readonly paths: readonly PathHandler[];
  /** Run after the server listens (bootstrap roles …); /readyz fails until all are done. Named in /readyz as poststarthook/<name>. */
  readonly postStartHooks: readonly { readonly name: string; run(): Promise<void> }[];
}

/** The one place where authn, authz, admission and subresources are put together. */
export async function createExtensions(services: ServerServices): Promise<ServerExtensions> {
  void services;
  return Promise.resolve({
    authenticator: everybodyIsAdmin,
    authorizer: alwaysAllow,
    admission: [],
    subresources: [],
    requestKinds: [],
    paths: [],
    postStartHooks: [],
  });
}
