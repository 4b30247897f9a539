import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from '@orrery/api';
import type { UserInfo } from '@orrery/registry';
import type { AuthorizationAttributes, Authorizer, Decision } from '../filters/authorization.js';
import type { LiveReader } from '../live-view/live-view.js';
import { ruleAllows } from './rules.js';

export interface RbacViews {
  readonly clusterRoles: LiveReader<ClusterRole>;
  readonly clusterRoleBindings: LiveReader<ClusterRoleBinding>;
  readonly roles: LiveReader<Role>;
  readonly roleBindings: LiveReader<RoleBinding>;
}

/** One binding, its subject of this entry and the rules that it grants. */
interface Grant {
  readonly binding: string;
  readonly role: string;
  readonly subject: string;
  readonly rules: readonly PolicyRule[];
  readonly error?: string;
}

type Grants = Map<string, Grant[]>;

/** Key of a subject in the grant index: users and service accounts by user name, groups by name. */
function subjectKey(subject: Subject, bindingNamespace: string): string {
  if (subject.kind === 'Group') return `g:${subject.name}`;
  if (subject.kind === 'ServiceAccount')
    return `u:system:serviceaccount:${subject.namespace ?? bindingNamespace}:${subject.name}`;
  return `u:${subject.name}`;
}

const describe = (subject: Subject): string =>
  subject.kind === 'ServiceAccount'
    ? `ServiceAccount "${subject.name}/${subject.namespace ?? ''}"`
    : `${subject.kind} "${subject.name}"`;

/**
 * Allows what some role bound to the user or one of the groups allows; never denies. Reads only the live
 * views: bindings are indexed by subject, and indexed again on the first request after a change.
 */
export class RbacAuthorizer implements Authorizer {
  #versions = '';
  #cluster: Grants = new Map();
  #namespaced = new Map<string, Grants>();

  constructor(private readonly views: RbacViews) {}

  authorize({ user, info }: AuthorizationAttributes): Decision {
    const errors: string[] = [];
    for (const grant of this.#grantsOf(user, info.namespace)) {
      if (grant.error) errors.push(grant.error);
      if (grant.rules.some((rule) => ruleAllows(rule, info)))
        return {
          allowed: true,
          reason: `RBAC: allowed by ${grant.binding} of ${grant.role} to ${grant.subject}`,
        };
    }
    return errors.length > 0
      ? {
          allowed: false,
          reason: `RBAC: ${errors.length > 1 ? `[${[...new Set(errors)].join(', ')}]` : errors[0]}`,
        }
      : { allowed: false };
  }

  /** Every rule that applies to `user` in `namespace` ('' = cluster-wide rules only). */
  rulesFor(user: UserInfo, namespace: string): readonly PolicyRule[] {
    return [...this.#grantsOf(user, namespace)].flatMap((grant) => grant.rules);
  }

  /** The rules of a role; undefined when it does not exist. */
  roleRules(kind: string, name: string, namespace: string): readonly PolicyRule[] | undefined {
    const role =
      kind === 'ClusterRole'
        ? this.views.clusterRoles.get(name)
        : this.views.roles.get(name, namespace);
    return role && (role.rules ?? []);
  }

  *#grantsOf(user: UserInfo, namespace: string): Iterable<Grant> {
    this.#refresh();
    const keys = [`u:${user.name}`, ...user.groups.map((group) => `g:${group}`)];
    for (const key of keys) yield* this.#cluster.get(key) ?? [];
    const local = namespace === '' ? undefined : this.#namespaced.get(namespace);
    if (local) for (const key of keys) yield* local.get(key) ?? [];
  }

  #refresh(): void {
    const { clusterRoles, clusterRoleBindings, roles, roleBindings } = this.views;
    const versions = [clusterRoles, clusterRoleBindings, roles, roleBindings]
      .map((view) => view.version)
      .join();
    if (versions === this.#versions) return;
    this.#versions = versions;
    this.#cluster = new Map();
    this.#namespaced = new Map();
    for (const binding of clusterRoleBindings.values()) this.#add(this.#cluster, binding, '');
    for (const binding of roleBindings.values()) {
      const namespace = binding.metadata.namespace ?? '';
      const grants: Grants = this.#namespaced.get(namespace) ?? new Map();
      this.#namespaced.set(namespace, grants);
      this.#add(grants, binding, namespace);
    }
  }

  #add(grants: Grants, binding: ClusterRoleBinding | RoleBinding, namespace: string): void {
    const { kind, name } = binding.roleRef;
    const rules = this.roleRules(kind, name, namespace);
    const bindingName = binding.metadata.name ?? '';
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, namespace);
      const list = grants.get(key) ?? [];
      list.push({
        binding: namespace
          ? `RoleBinding "${bindingName}/${namespace}"`
          : `ClusterRoleBinding "${bindingName}"`,
        role: `${kind} "${name}"`,
        subject: describe(subject),
        rules: rules ?? [],
        ...(rules
          ? {}
          : {
              error: `${kind.toLowerCase()}.rbac.authorization.k8s.io "${name}" not found`,
            }),
      });
      grants.set(key, list);
    }
  }
}
