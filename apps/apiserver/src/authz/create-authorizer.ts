import type { PolicyRule } from '@orrery/api';
import type { Clock, Logger } from '@orrery/component';
import { ConfigError } from '@orrery/component';
import type { ApiServerOptions } from '../config/options.js';
import { alwaysAllow } from '../filters/authorization.js';
import type { Authorizer } from '../filters/authorization.js';
import type { ClusterViews } from '../live-view/cluster-views.js';
import { HookPoster } from '../webhooks/https-post.js';
import type { RuleLister } from './access-reviews.js';
import { authorizersOf } from './authorization-configuration.js';
import type { ConfiguredAuthorizer } from './authorization-configuration.js';
import { NodeAuthorizer } from './node.authorizer.js';
import { RbacAuthorizer } from './rbac.authorizer.js';
import { UnionAuthorizer, privilegedGroup } from './union.authorizer.js';
import { WebhookAuthorizer } from './webhook.authorizer.js';

const alwaysDeny: Authorizer = {
  authorize: () => ({ allowed: false, reason: 'Everything is forbidden.' }),
};

/** Modes besides webhooks. */
const MODES = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC'];

/** Refuses modes that there are not, and files that make no sense. Throws ConfigError. */
export function checkAuthorizationFlags(options: ApiServerOptions): void {
  const chain = authorizersOf(options);
  const seen = new Set<string>();
  for (const one of chain) {
    if ('webhook' in one) continue;
    if (one.mode === 'ABAC') throw new ConfigError('--authorization-mode: ABAC is not modelled');
    if (!MODES.includes(one.mode))
      throw new ConfigError(
        `--authorization-mode: ${JSON.stringify(one.mode)} is not a valid mode; modelled: ${[...MODES, 'Webhook'].join(', ')}`,
      );
    if (seen.has(one.mode))
      throw new ConfigError(`--authorization-mode: ${JSON.stringify(one.mode)} is given twice`);
    seen.add(one.mode);
  }
}

export interface AuthorizerServices {
  readonly options: ApiServerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

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

/** The rules of the authorizers that have some. */
function listerOf(chain: readonly ConfiguredAuthorizer[], rbac: RbacAuthorizer): RuleLister {
  const modes = new Set(chain.map(({ mode }) => mode));
  return {
    unlisted: modes.has('Webhook') ? ['webhook'] : [],
    rulesFor: (user, namespace) => [
      ...(modes.has('AlwaysAllow') ? EVERYTHING : []),
      ...(modes.has('RBAC') ? rbac.rulesFor(user, namespace) : []),
    ],
  };
}

/** The authorizers of --authorization-mode or --authorization-config in their order, after the privileged group. Throws ConfigError. */
export function createAuthorizer(
  { options, clock, logger, signal }: AuthorizerServices,
  views: ClusterViews,
): Authorization {
  const rbac = new RbacAuthorizer(views);
  const poster = new HookPoster(clock);
  signal.addEventListener('abort', () => {
    poster.close();
  });
  const known: Readonly<Record<string, () => Authorizer>> = {
    AlwaysAllow: () => alwaysAllow,
    AlwaysDeny: () => alwaysDeny,
    Node: () => new NodeAuthorizer(views.pods),
    RBAC: () => rbac,
  };
  checkAuthorizationFlags(options);
  const chain = authorizersOf(options);
  const members = chain.flatMap((one) => {
    if ('webhook' in one) return [new WebhookAuthorizer(one.webhook, { poster, clock, logger })];
    const create = Object.hasOwn(known, one.mode) ? known[one.mode] : undefined;
    return create ? [create()] : [];
  });
  return {
    authorizer: new UnionAuthorizer([privilegedGroup, ...members]),
    rbac,
    isRbac: chain.some(({ mode }) => mode === 'RBAC'),
    rules: listerOf(chain, rbac),
  };
}
