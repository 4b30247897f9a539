import { describe, expect, it } from '@jest/globals';
import { StatusError, finish } from '@orrery/apimachinery';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '@orrery/api';
import { staticReader } from '../live-view/static-reader.js';
import { pathAttributes, resourceAttributes } from './attributes.js';
import { clusterRoleBindings } from './bootstrap-policy/bindings.js';
import { systemClusterRoles } from './bootstrap-policy/cluster-roles.js';
import { controllerClusterRoles } from './bootstrap-policy/controller-roles.js';
import { reconcileBinding, reconcileRole } from './bootstrap-policy/reconcile.js';
import { rule, urls } from './bootstrap-policy/rule.js';
import { RbacAuthorizer } from './rbac.authorizer.js';
import { compact, printRule, ruleAllows, uncovered, uncoveredSteps } from './rules.js';

const API = 'rbac.authorization.k8s.io';

describe('ruleAllows()', () => {
  const get = (extra: object): ReturnType<typeof resourceAttributes> =>
    resourceAttributes({ verb: 'get', resource: 'pods', namespace: 'a', ...extra });

  it.each([
    { name: 'the resource itself', rule: rule('get', '', 'pods'), info: get({}), want: true },
    {
      name: 'no subresource by the resource',
      rule: rule('get', '', 'pods'),
      info: get({ subresource: 'log' }),
      want: false,
    },
    {
      name: 'a named subresource',
      rule: rule('get', '', 'pods/log'),
      info: get({ subresource: 'log' }),
      want: true,
    },
    {
      name: '*/scale in any resource',
      rule: rule('get', '*', '*/scale'),
      info: get({ subresource: 'scale' }),
      want: true,
    },
    {
      name: 'everything by *',
      rule: rule('*', '*', '*'),
      info: get({ subresource: 'log' }),
      want: true,
    },
    {
      name: 'no path by resource *',
      rule: rule('*', '*', '*'),
      info: pathAttributes('get', '/metrics'),
      want: false,
    },
    { name: 'no other group', rule: rule('get', 'apps', 'pods'), info: get({}), want: false },
    {
      name: 'a resource name',
      rule: rule('get', '', 'pods', 'x'),
      info: get({ name: 'x' }),
      want: true,
    },
    {
      name: 'no other resource name',
      rule: rule('get', '', 'pods', 'x'),
      info: get({ name: 'y' }),
      want: false,
    },
    {
      name: 'a path below a *',
      rule: urls('get', '/healthz/*'),
      info: pathAttributes('get', '/healthz/etcd'),
      want: true,
    },
    {
      name: 'no path beside',
      rule: urls('get', '/healthz'),
      info: pathAttributes('get', '/healthz/etcd'),
      want: false,
    },
  ])('allows $name: $want', ({ rule: one, info, want }) => {
    expect(ruleAllows(one, info)).toBe(want);
  });
});

describe('uncovered()', () => {
  it.each<{ name: string; owned: PolicyRule[]; wanted: PolicyRule[]; want: number }>([
    {
      name: 'equal rules',
      owned: [rule('get list', '', 'pods')],
      wanted: [rule('list get', '', 'pods')],
      want: 0,
    },
    {
      name: 'a verb more',
      owned: [rule('get', '', 'pods')],
      wanted: [rule('get delete', '', 'pods')],
      want: 1,
    },
    {
      name: '* wanted of a named one',
      owned: [rule('get', '', 'pods')],
      wanted: [rule('get', '', '*')],
      want: 1,
    },
    {
      name: 'all names wanted of one',
      owned: [rule('get', '', 'pods', 'x')],
      wanted: [rule('get', '', 'pods')],
      want: 1,
    },
    {
      name: 'one name of all',
      owned: [rule('get', '', 'pods')],
      wanted: [rule('get', '', 'pods', 'x')],
      want: 0,
    },
    {
      name: 'split over two rules',
      owned: [rule('get', '', 'pods'), rule('get', '', 'secrets')],
      wanted: [rule('get', '', 'pods secrets')],
      want: 0,
    },
  ])('finds $want parts for $name', ({ owned, wanted, want }) => {
    expect(uncovered(owned, wanted)).toHaveLength(want);
  });

  const named = (letter: string, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${letter}${i}`);
  const wide = (count: number): PolicyRule => ({
    verbs: named('v', count),
    apiGroups: named('g', count),
    resources: named('r', count),
  });

  it('a role of a million permissions is refused after the first thousand of them', () => {
    const owned = named('r', 2000).map((name) => rule('get', 'x', name));
    expect(finish(uncoveredSteps(owned, [wide(100)]))).toHaveLength(1000);
  });

  it('permissions that one rule covers are not looked at one by one', () => {
    const wanted = { ...wide(16_000), verbs: named('v', 17_000) };
    expect(finish(uncoveredSteps([rule('*', '*', '*')], [wanted]))).toEqual([]);
  });

  it('a role of more permissions than can be looked at is refused', () => {
    const owned = named('r', 110).map((name) => rule('*', '*', name));
    const check = (): unknown => finish(uncoveredSteps(owned, [wide(110)]));
    expect(check).toThrow(StatusError);
    expect(check).toThrow('limit is 1000000 permissions of rules');
  });

  it('prints the rest as upstream does', () => {
    const rest = compact(uncovered([], [rule('get list', '', 'pods')]));
    expect(rest.map(printRule)).toEqual([
      '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
    ]);
  });
});

describe('RbacAuthorizer', () => {
  const bind = (kind: string, name: string, subjects: object[], namespace?: string): RoleBinding =>
    ({
      metadata: { name: `${name}-binding`, ...(namespace ? { namespace } : {}) },
      roleRef: { apiGroup: API, kind, name },
      subjects,
    }) as RoleBinding;
  const role = (name: string, rules: PolicyRule[], namespace?: string): Role => ({
    metadata: { name, ...(namespace ? { namespace } : {}) },
    rules,
  });
  const rbac = new RbacAuthorizer({
    clusterRoles: staticReader<ClusterRole>([
      role('reader', [rule('get', '', 'pods')]),
      ...systemClusterRoles,
      ...controllerClusterRoles,
    ]),
    clusterRoleBindings: staticReader<ClusterRoleBinding>(clusterRoleBindings),
    roles: staticReader<Role>([role('local', [rule('get', '', 'secrets')], 'a')]),
    roleBindings: staticReader<RoleBinding>([
      bind('ClusterRole', 'reader', [{ kind: 'User', name: 'alice' }], 'a'),
      bind('Role', 'local', [{ kind: 'Group', name: 'devs' }], 'a'),
      bind('Role', 'local', [{ kind: 'ServiceAccount', name: 'bot' }], 'a'),
      bind('Role', 'gone', [{ kind: 'User', name: 'dave' }], 'a'),
    ]),
  });
  const ask = (
    user: string,
    groups: string[],
    attributes: object,
  ): { allowed: boolean; reason?: string } =>
    rbac.authorize({
      user: { name: user, groups },
      info: resourceAttributes({ verb: 'get', resource: 'pods', ...attributes }),
    });

  it.each([
    {
      name: 'a role bound in the namespace',
      user: 'alice',
      groups: [],
      at: { namespace: 'a' },
      want: true,
    },
    {
      name: 'nothing in another namespace',
      user: 'alice',
      groups: [],
      at: { namespace: 'b' },
      want: false,
    },
    {
      name: 'a group',
      user: 'eve',
      groups: ['devs'],
      at: { namespace: 'a', resource: 'secrets' },
      want: true,
    },
    {
      name: 'a service account of the binding’s namespace',
      user: 'system:serviceaccount:a:bot',
      groups: [],
      at: { namespace: 'a', resource: 'secrets' },
      want: true,
    },
    {
      name: 'the scheduler to bind',
      user: 'system:kube-scheduler',
      groups: [],
      at: { verb: 'create', resource: 'pods', subresource: 'binding', namespace: 'a' },
      want: true,
    },
    {
      name: 'a controller account its work',
      user: 'system:serviceaccount:kube-system:replicaset-controller',
      groups: [],
      at: { verb: 'create', resource: 'pods', namespace: 'a' },
      want: true,
    },
    {
      name: 'no endpoints to nobody (CVE-2021-25740)',
      user: 'alice',
      groups: [],
      at: { verb: 'update', resource: 'endpoints', namespace: 'a' },
      want: false,
    },
  ])('gives $name: $want', ({ user, groups, at, want }) => {
    expect(ask(user, groups, at).allowed).toBe(want);
  });

  it('names a role that is missing', () => {
    expect(ask('dave', [], { namespace: 'a' }).reason).toBe(
      'RBAC: role.rbac.authorization.k8s.io "gone" not found',
    );
  });
});

describe('bootstrap policy', () => {
  it('binds only roles that it creates', () => {
    const names = new Set(
      [...systemClusterRoles, ...controllerClusterRoles].map((r) => r.metadata.name),
    );
    expect(clusterRoleBindings.map((b) => b.roleRef.name).filter((n) => !names.has(n))).toEqual([]);
  });

  it('adds lacking rules and keeps what an administrator added', () => {
    const [wanted] = systemClusterRoles;
    const mine = rule('get', '', 'mine');
    const stored = { ...structuredClone(wanted as ClusterRole), rules: [mine] };
    const merged = reconcileRole(stored, wanted as ClusterRole);
    expect(merged?.rules?.[0]).toEqual(mine);
    expect(uncovered(merged?.rules ?? [], wanted?.rules ?? [])).toEqual([]);
  });

  it('leaves a role alone that is not to be updated', () => {
    const [wanted] = systemClusterRoles;
    const stored = structuredClone(wanted as ClusterRole);
    stored.rules = [];
    stored.metadata.annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
    expect(reconcileRole(stored, wanted as ClusterRole)).toBeUndefined();
  });

  it('writes nothing when all is there', () => {
    for (const binding of clusterRoleBindings)
      expect(reconcileBinding(binding, binding)).toBeUndefined();
  });
});
