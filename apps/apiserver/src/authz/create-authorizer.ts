import { ConfigError } from '@orrery/component';
import type { ApiServerOptions } from '../config/options.js';
import { alwaysAllow } from '../filters/authorization.js';
import type { Authorizer } from '../filters/authorization.js';
import type { ClusterViews } from '../live-view/cluster-views.js';
import { NodeAuthorizer } from './node.authorizer.js';
import { RbacAuthorizer } from './rbac.authorizer.js';
import { UnionAuthorizer, privilegedGroup } from './union.authorizer.js';

const alwaysDeny: Authorizer = {
  authorize: () => ({ allowed: false, reason: 'Everything is forbidden.' }),
};

/** The authorizers of --authorization-mode in its order, after the privileged group. Throws ConfigError. */
export function createAuthorizer(
  { authorizationMode }: Pick<ApiServerOptions, 'authorizationMode'>,
  views: ClusterViews,
): { readonly authorizer: Authorizer; readonly rbac: RbacAuthorizer; readonly isRbac: boolean } {
  const rbac = new RbacAuthorizer(views);
  const known: Readonly<Record<string, () => Authorizer>> = {
    AlwaysAllow: () => alwaysAllow,
    AlwaysDeny: () => alwaysDeny,
    Node: () => new NodeAuthorizer(views.pods),
    RBAC: () => rbac,
  };
  const members = authorizationMode.map((mode) => {
    const create = Object.hasOwn(known, mode) ? known[mode] : undefined;
    if (!create)
      throw new ConfigError(
        `--authorization-mode: ${JSON.stringify(mode)} is not a valid mode; modelled: ${Object.keys(known).join(', ')}`,
      );
    return create();
  });
  return {
    authorizer: new UnionAuthorizer([privilegedGroup, ...members]),
    rbac,
    isRbac: authorizationMode.includes('RBAC'),
  };
}
