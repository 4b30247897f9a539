import type { KindDescriptor } from '@orrery/api';
import type { Clock, HealthCheck, Logger, Metrics, Random } from '@orrery/component';
import type { AdmissionPlugin, ResourceStore } from '@orrery/registry';
import type { Storage, StorageError } from '@orrery/storage';
import { AdmissionMetrics } from './admission/admission-metrics.js';
import { readAdmissionConfiguration } from './admission/admission-configuration.js';
import { chooseAdmissionPlugins } from './admission/plugins.js';
import { Aggregator } from './aggregation/aggregator.js';
import { createWebhooks } from './admission/webhook/create-webhooks.js';
import { createPolicies } from './admission/policy/create-policies.js';
import { createAuthentication, openIdPaths } from './authn/create-authentication.js';
import { authenticationReviews } from './authn/reviews.js';
import { accessReviews } from './authz/access-reviews.js';
import { installBootstrapPolicy } from './authz/bootstrap-policy/install.js';
import { ClaimStatusCheck } from './authz/claim-status-check.js';
import { DefaultValuesCheck } from './custom-resources/default-values-check.js';
import { createAuthorizer } from './authz/create-authorizer.js';
import { EscalationCheck } from './authz/escalation-check.js';
import { PolicyParamCheck } from './authz/policy-param-check.js';
import type { RbacAuthorizer } from './authz/rbac.authorizer.js';
import { createLimiter } from './fairness/create-limiter.js';
import type { Limiter } from './fairness/limiter.js';
import { faultPaths } from './faults/faults-path.js';
import { RequestFaults } from './faults/request-faults.js';
import type { TokenIssuer } from './forks/fork-identity.js';
import { admissionAsHub } from './removed-apis/admission-as-hub.js';
import { removedRequestHandlers } from './removed-apis/removed-request-kinds.js';
import type { ClusterViews } from './live-view/cluster-views.js';
import { startClusterViews } from './live-view/cluster-views.js';
import { bindings } from './subresources/binding.js';
import { subresourceHandlers } from './subresources/handlers.js';
import type { ApiServerOptions } from './config/options.js';
import type { Authenticator } from './filters/authentication.js';
import type { Authorizer } from './filters/authorization.js';
import type { PathHandler, RequestKindHandler, SubresourceHandler } from './subresources.js';

/** What plug-ins of the server may use. */
export interface ServerServices {
  readonly options: ApiServerOptions;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends when the server stops: for watches that plug-ins hold. */
  readonly signal: AbortSignal;
  /** How often files that may change are read again; absent = every 10 s. */
  readonly reloadMs?: number;
  /** Told of stored values that cannot be read (keys that are missing, say), which a view of its resource waits for. */
  readonly onUnreadable?: (error: StorageError) => void;
  /** Every kind that is served now, custom ones included. */
  kinds(): readonly KindDescriptor[];
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
  /** Takes the requests of group versions that other servers serve. */
  readonly aggregator?: Aggregator;
  /** Who is served now and who waits; none in a fork. */
  readonly limiter?: Limiter;
  /** Only where faults may be asked for (--enable-faults). */
  readonly faults?: RequestFaults;
  /** Run after the server listens (bootstrap roles …); /readyz fails until all are done. Named in /readyz as poststarthook/<name>. */
  readonly postStartHooks: readonly { readonly name: string; run(): Promise<void> }[];
  /** More of what /healthz, /livez and /readyz ask. */
  readonly healthChecks?: readonly HealthCheck[];
}

interface AdmissionParts {
  readonly views: ClusterViews;
  readonly policies: ReturnType<typeof createPolicies>;
  readonly authorizer: Authorizer;
  /** What upstream does outside its admission plugins. */
  readonly own: readonly AdmissionPlugin[];
}

/** The admission plugins in their order, each measured. */
function admissionChain(
  services: ServerServices,
  { views, policies, authorizer, own }: AdmissionParts,
): readonly AdmissionPlugin[] {
  const { options, random, clock } = services;
  const chosen = chooseAdmissionPlugins(
    options.enableAdmissionPlugins,
    options.disableAdmissionPlugins,
    {
      views,
      random,
      store: (group, version, plural) => services.store(group, version, plural),
      clock,
      metrics: services.metrics,
      authorizer,
      tolerations: {
        notReady: options.defaultNotReadyTolerationSeconds,
        unreachable: options.defaultUnreachableTolerationSeconds,
      },
      kinds: () => services.kinds(),
      configuration: readAdmissionConfiguration(options.admissionControlConfigFile),
      webhooks: createWebhooks(services, views, policies.conditions),
      policies,
    },
  );
  const metrics = new AdmissionMetrics(services.metrics, clock);
  return metrics.measured(admissionAsHub([...chosen, ...own]));
}

/** What the live cluster has and a fork has not: limits on its requests, and extension servers. */
function liveExtensions(
  services: ServerServices,
  views: ClusterViews,
): Pick<ServerExtensions, 'paths'> & {
  readonly parts: Partial<ServerExtensions>;
  readonly hooks: ServerExtensions['postStartHooks'];
} {
  const { limiter, paths } = createLimiter(services, views);
  const aggregator = new Aggregator(services, views);
  return {
    parts: { limiter, aggregator, healthChecks: aggregator.checks() },
    paths,
    hooks: aggregator.hooks(),
  };
}

/** What upstream checks in the storages of kinds. */
const ownChecks = (
  services: ServerServices,
  views: ClusterViews,
  authorizer: Authorizer,
  rbac: RbacAuthorizer | undefined,
): readonly AdmissionPlugin[] => [
  ...(rbac ? [new EscalationCheck(rbac, authorizer)] : []),
  new ClaimStatusCheck(authorizer),
  new PolicyParamCheck({ authorizer, views, kinds: () => services.kinds() }),
  new DefaultValuesCheck(),
];

/**
 * The one place where authn, authz, admission and subresources are put together. `issuer`: who signs the service
 * accounts' tokens where it is not the one that the flags name.
 */
export async function createExtensions(
  services: ServerServices,
  issuer?: TokenIssuer,
): Promise<ServerExtensions> {
  const views = startClusterViews(services, services.options.etcdPrefix, services.signal);
  const { authorizer, rbac, isRbac, rules } = createAuthorizer(services, views);
  const { authenticator, tokens, signer, publicKeys, audiences } = createAuthentication(
    services,
    views,
    authorizer,
    issuer,
  );
  const { options } = services;
  const policies = createPolicies(services, views, authorizer);
  const live = issuer ? undefined : liveExtensions(services, views);
  const faults = options.enableFaults ? new RequestFaults(services.clock) : undefined;
  await views.ready;
  const reviews = [
    ...accessReviews(authorizer, rules),
    ...authenticationReviews(tokens, audiences, services.clock),
    bindings(services),
  ];
  return {
    authenticator,
    authorizer,
    admission: admissionChain(services, {
      views,
      policies,
      authorizer,
      own: ownChecks(services, views, authorizer, isRbac ? rbac : undefined),
    }),
    subresources: subresourceHandlers({
      services,
      budgets: views.podDisruptionBudgets,
      audiences,
      authorizer,
      ...(signer ? { signer } : {}),
    }),
    requestKinds: [
      ...reviews,
      ...(options.serveRemovedApis ? removedRequestHandlers(reviews) : []),
    ],
    paths: [
      ...(await openIdPaths(options, publicKeys)),
      ...(faults ? faultPaths(faults) : []),
      ...(live?.paths ?? []),
    ],
    ...(faults ? { faults } : {}),
    ...live?.parts,
    postStartHooks: [
      ...VIEWS_HOOKS.map((name) => ({ name, run: () => views.ready })),
      ...(options.enablePriorityAndFairness ? fairnessHooks(services, views) : []),
      ...(isRbac ? [bootstrapRoles(services)] : []),
      ...(live?.hooks ?? []),
    ],
  };
}

/** Hooks that are done when what the server follows has been listed. */
const VIEWS_HOOKS = [
  'generic-apiserver-start-informers',
  'start-apiserver-admission-initializer',
  'start-kube-aggregator-informers',
];

const LOOK_MS = 50;

/** Priority and fairness goes by what is stored as soon as the mandatory objects are there; until then by its own copies. */
function fairnessHooks(
  { clock, signal }: ServerServices,
  { flowSchemas, priorityLevels }: ClusterViews,
): ServerExtensions['postStartHooks'] {
  const areThere = async (): Promise<boolean> =>
    (await flowSchemas.find('catch-all')) !== undefined &&
    (await priorityLevels.find('catch-all')) !== undefined;
  const run = async (): Promise<void> => {
    while (!(await areThere())) await clock.sleep(LOOK_MS, signal);
  };
  return ['priority-and-fairness-config-consumer', 'priority-and-fairness-filter'].map((name) => ({
    name,
    run,
  }));
}

const bootstrapRoles = (services: ServerServices): ServerExtensions['postStartHooks'][number] => ({
  name: 'rbac/bootstrap-roles',
  run: () =>
    installBootstrapPolicy({
      store: (group, version, plural) => services.store(group, version, plural),
      clock: services.clock,
      signal: services.signal,
    }),
});
