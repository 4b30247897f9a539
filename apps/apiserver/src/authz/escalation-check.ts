import { newForbidden } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '@orrery/api';
import { inTurns } from '@orrery/component';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import type { Authorizer } from '../filters/authorization.js';
import { resourceAttributes } from './attributes.js';
import type { RbacAuthorizer } from './rbac.authorizer.js';
import { compact, printRule, uncoveredSteps } from './rules.js';

const GROUP = 'rbac.authorization.k8s.io';

/**
 * Nobody may grant more than they hold: writes of roles need the rules written or the verb `escalate`, writes of
 * bindings the rules bound or the verb `bind` (k8s pkg/registry/rbac/{role,rolebinding}/policybased/storage.go).
 */
export class EscalationCheck implements AdmissionPlugin {
  readonly name = 'RBACEscalationCheck';

  constructor(
    private readonly rbac: RbacAuthorizer,
    private readonly authorizer: Authorizer,
  ) {}

  handles(operation: string): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const { kind, object, oldObject, context } = attributes;
    if (kind.group !== GROUP || !object) return;
    if (context.user.groups.includes('system:masters')) return;
    if (kind.plural === 'roles' || kind.plural === 'clusterroles')
      await this.#checkRole(attributes, object as Role | ClusterRole, oldObject);
    else
      await this.#checkBinding(attributes, object as RoleBinding | ClusterRoleBinding, oldObject);
  }

  async #checkRole(
    attributes: AdmissionAttributes,
    role: Role | ClusterRole,
    old: KubeObject | undefined,
  ): Promise<void> {
    const before = old as Role | ClusterRole | undefined;
    const aggregation = (r: typeof before): unknown =>
      r && 'aggregationRule' in r ? r.aggregationRule : undefined;
    if (
      before &&
      equalJson(role.rules ?? [], before.rules ?? []) &&
      equalJson(aggregation(role) ?? null, aggregation(before) ?? null)
    )
      return;
    if (await this.#may(attributes, 'escalate', attributes.kind.plural, attributes.name)) return;
    // An aggregated role may come to hold anything: only who holds everything may write one.
    const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
    const wanted = aggregation(role)
      ? [everything, { verbs: ['*'], nonResourceURLs: ['*'] }]
      : (role.rules ?? []);
    await this.#refuseBeyond(attributes, wanted);
  }

  async #checkBinding(
    attributes: AdmissionAttributes,
    binding: RoleBinding | ClusterRoleBinding,
    old: KubeObject | undefined,
  ): Promise<void> {
    const before = old as typeof binding | undefined;
    if (
      before &&
      equalJson(binding.roleRef, before.roleRef) &&
      equalJson(binding.subjects ?? [], before.subjects ?? [])
    )
      return;
    const { kind, name } = binding.roleRef;
    const plural = kind === 'ClusterRole' ? 'clusterroles' : 'roles';
    if (await this.#may(attributes, 'bind', plural, name)) return;
    const rules = this.rbac.roleRules(kind, name, attributes.namespace ?? '');
    if (!rules)
      throw newForbidden(
        { group: GROUP, resource: attributes.kind.plural },
        attributes.name,
        `${plural}.${GROUP} "${name}" not found`,
      );
    await this.#refuseBeyond(attributes, rules);
  }

  async #may(
    attributes: AdmissionAttributes,
    verb: string,
    resource: string,
    name: string,
  ): Promise<boolean> {
    const decision = await this.authorizer.authorize({
      user: attributes.context.user,
      info: resourceAttributes({
        verb,
        group: GROUP,
        resource,
        name,
        namespace: attributes.namespace ?? '',
      }),
    });
    return decision.allowed;
  }

  async #refuseBeyond(
    attributes: AdmissionAttributes,
    wanted: readonly PolicyRule[],
  ): Promise<void> {
    const { user } = attributes.context;
    const owned = this.rbac.rulesFor(user, attributes.namespace ?? '');
    const beyond = compact(await inTurns(uncoveredSteps(owned, wanted)));
    if (beyond.length === 0) return;
    const groups = user.groups.map((group) => JSON.stringify(group)).join(' ');
    throw newForbidden(
      { group: GROUP, resource: attributes.kind.plural },
      attributes.name,
      `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${beyond.map(printRule).join('\n')}`,
    );
  }
}
