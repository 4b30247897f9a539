import { isDeepStrictEqual } from 'node:util';
import { labelSelectorMatcher } from '@orrery/apimachinery';
import type { ObjectKey } from '@orrery/apimachinery';
import type { ClusterRole, PolicyRule } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';

const byName = (a: ClusterRole, b: ClusterRole): number =>
  (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;

/** Pure: the rules of all roles that the selectors choose, each once, in the order of the roles' names. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const matchers = (role.aggregationRule?.clusterRoleSelectors ?? []).map(labelSelectorMatcher);
  const rules: PolicyRule[] = [];
  for (const matcher of matchers)
    for (const other of all.filter((r) => matcher.matches(r.metadata.labels)).sort(byName)) {
      if (other.metadata.name === role.metadata.name) continue;
      for (const rule of other.rules ?? [])
        if (!rules.some((known) => isDeepStrictEqual(known, rule))) rules.push(rule);
    }
  return rules;
}

/** Keeps the rules of ClusterRoles with an aggregationRule. */
export class ClusterRoleAggregationReconciler implements Reconciler {
  constructor(
    private readonly roles: Lister<ClusterRole>,
    private readonly client: ResourceClient<ClusterRole>,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const role = this.roles.get(key);
    if (!role?.aggregationRule) return done;
    const rules = aggregatedRules(role, this.roles.list());
    if (!isDeepStrictEqual(rules, role.rules ?? [])) await this.client.update({ ...role, rules });
    return done;
  }
}

export const clusterRoleAggregationController: ControllerEntry = {
  name: 'clusterrole-aggregation-controller',
  definition({ informers }) {
    const roles = informers.informer(resources.clusterroles).lister;
    const aggregating = (): ObjectKey[] =>
      roles
        .list()
        .filter((role) => role.aggregationRule)
        .map((role) => ({ name: role.metadata.name ?? '' }));
    return defineController('clusterrole-aggregation-controller')
      .watches(resources.clusterroles, aggregating)
      .build();
  },
  create: ({ client, informers }) =>
    new ClusterRoleAggregationReconciler(
      informers.informer(resources.clusterroles).lister,
      client.resource(resources.clusterroles),
    ),
};
