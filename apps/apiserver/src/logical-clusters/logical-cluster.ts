import type { UserInfo } from '@orrery/registry';
import type { ServerExtensions } from '../extensions.js';
import type { ApiRequest, ShownMoment } from '../filters/api-request.js';
import type { AuthenticationInput } from '../filters/authentication.js';
import type { ResourceCatalog } from '../rest/resource-catalog.js';

/**
 * One API over one storage. The live cluster is one; a source opens others below a path of their own. What
 * `assembleApi` answers fits, once it has a `close`.
 */
export interface LogicalCluster {
  /** Serves a request whose `path` and `info` are those inside the cluster; `basePath` is what was in front. */
  readonly handler: { handle(request: ApiRequest): Promise<void> };
  readonly catalog: ResourceCatalog;
  /** `authorizer` judges what is asked inside; `subresources` take the upgrades, which `admission` sees. */
  readonly extensions: Pick<
    ServerExtensions,
    'authorizer' | 'admission' | 'subresources' | 'aggregator'
  >;
  /** The moment that it shows, where that is not the present. */
  readonly shows?: ShownMoment;
  /** Aborts when the cluster is no more: it is closed then, whoever uses it. */
  readonly gone?: AbortSignal;
  /** Lets go of what it holds in memory. Called once, when nobody has used it for a while or the server stops. */
  close(): Promise<void> | void;
}

/**
 * Serves `/<prefix>/<name>/…`. Before a source is asked, the live server has authenticated the user and its RBAC has
 * allowed the path (nonResourceURL `/<prefix>/*`, the verb being the HTTP method in lower case).
 */
export interface LogicalClusterSource {
  readonly prefix: 'at' | 'forks';
  /** Clusters kept open at once. Default 32; those in use count and are never closed for others. */
  readonly limit?: number;
  /** Time after which one that nobody uses is closed. Default 300,000. */
  readonly idleMs?: number;
  /**
   * The cluster that `name` means at this moment, as a key of the cache (two names may mean one). Called for every
   * request, so it must be quick. Throws StatusError: 404 unknown, 410 gone, 400 not a name.
   */
  resolve(name: string, request: ClusterRequest): Promise<string> | string;
  /** Makes the cluster of a key; called when it is not open. Throws StatusError. */
  open(key: string): Promise<LogicalCluster>;
  /**
   * The users that exist only inside (a fork's own service accounts); asked when the live server does not know the
   * credentials. They need no permission of the live cluster. Absent: there are none.
   */
  authenticate?(name: string, input: AuthenticationInput): Promise<UserInfo | undefined>;
  /** Answers what lies at the prefix itself: `/<prefix>`, `/<prefix>/` and `/<prefix>/<name>` without a path behind. */
  root?(name: string, request: ApiRequest): Promise<void>;
}

/** What a source may know of a request; the same for plain requests and upgrades. */
export type ClusterRequest = Pick<ApiRequest, 'method' | 'query' | 'headers'>;
