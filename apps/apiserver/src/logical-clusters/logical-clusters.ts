import { StatusError, newNotFound } from '@orrery/apimachinery';
import type { Clock, Logger } from '@orrery/component';
import type { UserInfo } from '@orrery/registry';
import type { ServerExtensions } from '../extensions.js';
import type { ApiRequest } from '../filters/api-request.js';
import type { AnonymousRule } from '../filters/authentication.guard.js';
import { identify } from '../filters/authentication.guard.js';
import type { AuthenticationInput, Authenticator } from '../filters/authentication.js';
import { checkAllowed } from '../filters/authorization.guard.js';
import type { RequestInfo } from '../filters/request-info.js';
import { withinTimeout } from '../filters/request-timeout.js';
import { answerError } from '../filters/status.filter.js';
import type { RequestMetrics } from '../health/request-metrics.js';
import { ClusterCache } from './cluster-cache.js';
import { clusterPath } from './cluster-path.js';
import type { ClusterPath } from './cluster-path.js';
import { InnerRequest } from './inner-request.js';
import type { ClusterRequest, LogicalCluster, LogicalClusterSource } from './logical-cluster.js';

export interface LogicalClustersDeps {
  readonly options: AnonymousRule;
  /** The live ones: they decide who asks, and who may enter. */
  readonly extensions: Pick<ServerExtensions, 'authenticator' | 'authorizer'>;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time limit of requests that are not long-running. */
  readonly limitMs: number;
}

/** Whom the credentials name; undefined when they are not good here but may be `elsewhere`. */
async function knownUser(
  authenticator: Authenticator,
  input: AuthenticationInput,
  elsewhere: boolean,
): Promise<UserInfo | undefined> {
  try {
    return await authenticator.authenticate(input);
  } catch (error) {
    if (elsewhere && error instanceof StatusError && error.code === 401) return undefined;
    throw error;
  }
}

/**
 * Takes the requests below `/at/` and `/forks/`: authenticates and authorizes them by the live cluster, then has them
 * served by the logical cluster that they name, which authorizes what is asked inside by its own authorizer.
 */
export class LogicalClusters {
  private readonly caches: ReadonlyMap<LogicalClusterSource, ClusterCache>;

  constructor(
    private readonly sources: readonly LogicalClusterSource[],
    private readonly deps: LogicalClustersDeps,
  ) {
    this.caches = new Map(sources.map((source) => [source, new ClusterCache(source, deps)]));
  }

  /** Where the path leads; undefined = to the live cluster. */
  find(path: string): ClusterPath | undefined {
    return clusterPath(this.sources, path);
  }

  /** Serves a request that {@link find} knows; answers errors itself. */
  async serve(outer: ApiRequest, path: ClusterPath): Promise<void> {
    const { metrics, clock, logger } = this.deps;
    const startedAt = clock.monotonic();
    const { raw } = outer.reply;
    let end: ReturnType<RequestMetrics['begin']> | undefined;
    try {
      const user = await this.admit(path, outer.info, outer);
      outer.setUser(user);
      if (path.inside === '' && path.source.root) {
        await withinTimeout(outer, this.deps, async () => path.source.root?.(path.name, outer));
        return;
      }
      await this.inside(path, outer, async (cluster) => {
        const request = new InnerRequest(outer, path, cluster.shows);
        await checkAllowed(cluster.extensions.authorizer, user, request.info);
        end = metrics.begin(request.info, startedAt);
        await withinTimeout(request, this.deps, () => cluster.handler.handle(request));
      });
    } catch (error) {
      answerError(error, outer, outer.reply, logger);
    } finally {
      end?.(raw.statusCode, clock.monotonic());
    }
  }

  /** Who asks, once the live cluster lets them in; those whom only the logical cluster knows need no leave. */
  async admit(path: ClusterPath, info: RequestInfo, input: AuthenticationInput): Promise<UserInfo> {
    const { extensions, options } = this.deps;
    const { source, name } = path;
    const hasUsers = 'authenticate' in source;
    const live = await knownUser(extensions.authenticator, input, hasUsers);
    const inner = live ? undefined : await source.authenticate?.(name, input);
    if (inner) return inner;
    const user = live ?? (await identify(extensions.authenticator, input, options));
    await checkAllowed(extensions.authorizer, user, info);
    return user;
  }

  /** Does `work` with the logical cluster, which stays open until it is done. */
  async inside<T>(
    { source, name }: ClusterPath,
    request: ClusterRequest,
    work: (cluster: LogicalCluster) => Promise<T>,
  ): Promise<T> {
    const cache = this.caches.get(source);
    if (!cache || name === '') throw newNotFound({ group: '', resource: source.prefix }, name);
    return cache.use(await source.resolve(name, request), work);
  }

  /** Closes every logical cluster. */
  async close(): Promise<void> {
    await Promise.all([...this.caches.values()].map((cache) => cache.close()));
  }
}
