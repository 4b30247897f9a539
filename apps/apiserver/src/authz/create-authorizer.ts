import { readFileSync } from 'node:fs';
import { isNotFound } from '@orrery/apimachinery';
import type { PolicyRule } from '@orrery/api';
import { ConfigError } from '@orrery/component';
import { followOptions } from '../config/certificate-file.js';
import { followFiles } from '../config/follow-files.js';
import type { ApiServerOptions } from '../config/options.js';
import type { ServerServices } from '../extensions.js';
import { alwaysAllow } from '../filters/authorization.js';
import type { AuthorizationAttributes, Authorizer, Decision } from '../filters/authorization.js';
import { measureReloads } from '../health/reload-metrics.js';
import type { ClusterViews } from '../live-view/cluster-views.js';
import { HookPoster } from '../webhooks/https-post.js';
import type { RuleLister } from './access-reviews.js';
import { AbacAuthorizer } from './abac.authorizer.js';
import { authorizationConfigurationOf, authorizersOf } from './authorization-configuration.js';
import type { ConfiguredAuthorizer } from './authorization-configuration.js';
import type { ObjectReader } from './node/node-relations.js';
import { NodeAuthorizer } from './node/node.authorizer.js';
import { RbacAuthorizer } from './rbac.authorizer.js';
import { UnionAuthorizer, privilegedGroup } from './union.authorizer.js';
import { WebhookAuthorizer } from './webhook.authorizer.js';
import type { WebhookAuthorizerDeps } from './webhook.authorizer.js';

const alwaysDeny: Authorizer = {
  authorize: () => ({ allowed: false, reason: 'Everything is forbidden.' }),
};

/** Modes besides webhooks. */
const MODES = ['AlwaysAllow', 'AlwaysDeny', 'ABAC', 'Node', 'RBAC'];

/** Refuses modes that there are not, or that are there twice. Throws ConfigError. */
function checkChain(chain: readonly ConfiguredAuthorizer[]): void {
  const seen = new Set<string>();
  for (const one of chain) {
    if ('webhook' in one) continue;
    if (!MODES.includes(one.mode))
      throw new ConfigError(
        `--authorization-mode: ${JSON.stringify(one.mode)} is not a valid mode; modelled: ${[...MODES, 'Webhook'].join(', ')}`,
      );
    if (seen.has(one.mode))
      throw new ConfigError(`--authorization-mode: ${JSON.stringify(one.mode)} is given twice`);
    seen.add(one.mode);
  }
}

/** Refuses modes that there are not, and files that make no sense. Throws ConfigError. */
export function checkAuthorizationFlags(options: ApiServerOptions): void {
  const chain = authorizersOf(options);
  checkChain(chain);
  const isAbac = chain.some(({ mode }) => mode === 'ABAC');
  const file = options.authorizationPolicyFile;
  if (isAbac && file === '')
    throw new ConfigError("authorization-mode ABAC's authorization policy file not passed");
  if (!isAbac && file !== '')
    throw new ConfigError('cannot specify --authorization-policy-file without mode ABAC');
  if (isAbac) new AbacAuthorizer(file);
}

export type AuthorizerServices = Pick<
  ServerServices,
  'options' | 'clock' | 'logger' | 'signal' | 'metrics' | 'reloadMs' | 'store'
>;

export interface Authorization {
  readonly authorizer: Authorizer;
  readonly rbac: RbacAuthorizer;
  readonly isRbac: boolean;
  readonly rules: RuleLister;
}

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Authorizers that are there from the start, whatever the configuration comes to say later. */
interface Built {
  readonly rbac: RbacAuthorizer;
  readonly abac: AbacAuthorizer | undefined;
  /** By mode. */
  readonly known: Readonly<Record<string, Authorizer | undefined>>;
}

function build(
  options: ApiServerOptions,
  chain: readonly ConfiguredAuthorizer[],
  views: ClusterViews,
  read: ObjectReader,
): Built {
  const has = (wanted: string): boolean => chain.some(({ mode }) => mode === wanted);
  const rbac = new RbacAuthorizer(views);
  const abac = has('ABAC') ? new AbacAuthorizer(options.authorizationPolicyFile) : undefined;
  return {
    rbac,
    abac,
    known: {
      AlwaysAllow: alwaysAllow,
      AlwaysDeny: alwaysDeny,
      ABAC: abac,
      Node: has('Node') ? new NodeAuthorizer(views.pods, read) : undefined,
      RBAC: has('RBAC') ? rbac : undefined,
    },
  };
}

/** Counts what authorizers decide for good (k8s apiserver pkg/authorization/metrics/metrics.go). */
class Decisions {
  private readonly total;

  constructor({ metrics }: Pick<AuthorizerServices, 'metrics'>) {
    this.total = metrics.tally({
      name: 'apiserver_authorization_decisions_total',
      help: 'Total number of terminal decisions made by an authorizer split by authorizer type, name, and decision.',
    });
  }

  counting(type: string, name: string, authorizer: Authorizer): Authorizer {
    const allowed = this.total.of({ type, name, decision: 'allowed' });
    const denied = this.total.of({ type, name, decision: 'denied' });
    const note = (decision: Decision): Decision => {
      if (decision.allowed) allowed();
      else if (decision.denied) denied();
      return decision;
    };
    return {
      authorize(attributes) {
        const decision = authorizer.authorize(attributes);
        return decision instanceof Promise ? decision.then(note) : note(decision);
      },
    };
  }
}

/** The chain that holds now. */
class Chain implements Authorizer {
  private chain: readonly ConfiguredAuthorizer[];
  private authorizer: UnionAuthorizer;

  constructor(
    chain: readonly ConfiguredAuthorizer[],
    private readonly built: Built,
    private readonly deps: WebhookAuthorizerDeps,
    private readonly decisions: Decisions,
  ) {
    this.chain = chain;
    this.authorizer = this.unionOf(chain);
  }

  authorize(attributes: AuthorizationAttributes): Promise<Decision> {
    return this.authorizer.authorize(attributes);
  }

  /** Throws ConfigError for a mode that was not there at the start. */
  replace(chain: readonly ConfiguredAuthorizer[]): void {
    this.authorizer = this.unionOf(chain);
    this.chain = chain;
  }

  private unionOf(chain: readonly ConfiguredAuthorizer[]): UnionAuthorizer {
    const members = chain.map((one) => {
      if ('webhook' in one) {
        const webhook = new WebhookAuthorizer(one.webhook, this.deps);
        return this.decisions.counting(one.mode, one.webhook.name, webhook);
      }
      const member = this.built.known[one.mode];
      if (member) return this.decisions.counting(one.mode, one.mode.toLowerCase(), member);
      throw new ConfigError(
        `authorizer type ${one.mode} is not allowed if it was not enabled at initial server startup`,
      );
    });
    return new UnionAuthorizer([privilegedGroup, ...members]);
  }

  /** The rules of the authorizers that have some. */
  readonly rules: RuleLister = {
    unlisted: () => (this.has('Webhook') ? ['webhook'] : []),
    rulesFor: (user, namespace) => [
      ...(this.has('AlwaysAllow') ? EVERYTHING : []),
      ...(this.has('ABAC') ? (this.built.abac?.rulesFor(user, namespace) ?? []) : []),
      ...(this.has('RBAC') ? this.built.rbac.rulesFor(user, namespace) : []),
    ],
  };

  has(wanted: string): boolean {
    return this.chain.some(({ mode }) => mode === wanted);
  }
}

/** Modes that the file named at the start, and may not leave out later (k8s pkg/kubeapiserver/authorizer/config.go:New). */
function requireModes(
  first: readonly ConfiguredAuthorizer[],
  next: readonly ConfiguredAuthorizer[],
): void {
  const modes = new Set(next.map(({ mode }) => mode));
  const missing = first.filter(({ mode }) => mode !== 'Webhook' && !modes.has(mode));
  if (missing.length === 0) return;
  const names = missing.map(({ mode }) => mode).sort();
  throw new ConfigError(`missing required types: ${names.join(', ')}`);
}

/** Follows --authorization-config until the server stops; what makes no sense leaves the chain as it was. */
async function follow(
  chain: Chain,
  first: readonly ConfiguredAuthorizer[],
  services: AuthorizerServices,
): Promise<void> {
  const path = services.options.authorizationConfig;
  const reloads = measureReloads(services, 'authorization', readFileSync(path, 'utf8'));
  await followFiles([path], followOptions(services), () => {
    try {
      const text = readFileSync(path, 'utf8');
      const next = authorizationConfigurationOf(text, path);
      checkChain(next);
      requireModes(first, next);
      chain.replace(next);
      reloads.succeeded(text);
      services.logger.info('requests are authorized by another configuration from now on', {
        path,
      });
    } catch (error) {
      reloads.failed();
      services.logger.error('the configuration of authorization stays as it was', {
        err: String(error),
      });
    }
  });
}

/** Reads from etcd what no view holds. */
const readerOf =
  ({ store }: AuthorizerServices): ObjectReader =>
  async ({ group, version, plural }, name, namespace) => {
    try {
      return (await store(group, version, plural).get(namespace, name)).object;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

/** The authorizers of --authorization-mode or --authorization-config in their order, after the privileged group. Throws ConfigError. */
export function createAuthorizer(services: AuthorizerServices, views: ClusterViews): Authorization {
  const { options, clock, logger, signal } = services;
  const poster = new HookPoster(clock);
  signal.addEventListener('abort', () => {
    poster.close();
  });
  checkAuthorizationFlags(options);
  const first = authorizersOf(options);
  const built = build(options, first, views, readerOf(services));
  const chain = new Chain(first, built, { poster, clock, logger }, new Decisions(services));
  if (options.authorizationConfig !== '') void follow(chain, first, services);
  return {
    authorizer: chain,
    rbac: built.rbac,
    isRbac: chain.has('RBAC'),
    rules: chain.rules,
  };
}
