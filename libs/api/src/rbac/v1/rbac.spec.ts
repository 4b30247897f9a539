import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../findings.fixture.js';
import { refusals, updateRefusals } from '../../findings.fixture.js';
import { ClusterRoleKind, RoleKind } from './role/role.kind.js';
import { ClusterRoleBindingKind, RoleBindingKind } from './rolebinding/rolebinding.kind.js';

const rule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const urls = { verbs: ['get'], nonResourceURLs: ['/x'] };

const roles: Refused[] = [
  {
    name: 'no verbs',
    change: { rules: [{ ...rule, verbs: [] }] },
    want: ['rules[0].verbs: Required value: verbs must contain at least one value'],
  },
  {
    name: 'neither groups nor resources',
    change: { rules: [{ verbs: ['get'] }] },
    want: [
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  },
  {
    name: 'URLs and resources',
    change: { rules: [{ ...rule, ...urls }] },
    want: [
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
  },
  {
    name: 'a name with a slash',
    change: { metadata: { name: 'a/b' } },
    want: ['metadata.name: Invalid value: "a/b": may not contain \'/\''],
  },
  {
    name: 'nothing for colons in its name',
    change: { metadata: { name: 'system:a' }, rules: [rule] },
    want: [],
  },
];

const roleRef = { kind: 'ClusterRole', name: 'view' };
const bindings: Refused[] = [
  {
    name: 'a role of another kind and group',
    change: { roleRef: { kind: 'X', name: 'view', apiGroup: 'x' } },
    want: [
      'roleRef.apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
      'roleRef.kind: Unsupported value: "X": supported values: "ClusterRole"',
    ],
  },
  {
    name: 'a role without a name',
    change: { roleRef: { ...roleRef, name: '' } },
    want: ['roleRef.name: Required value'],
  },
  {
    name: 'a role whose name has a percent sign',
    change: { roleRef: { ...roleRef, name: 'a%' } },
    want: ['roleRef.name: Invalid value: "a%": may not contain \'%\''],
  },
  {
    name: 'a user without a name',
    change: { subjects: [{ kind: 'User' }] },
    want: [
      'subjects[0].name: Required value',
      'subjects[0].name: Invalid value: "": user name cannot be empty',
    ],
  },
  {
    name: 'a group without a name',
    change: { subjects: [{ kind: 'Group', name: '' }] },
    want: [
      'subjects[0].name: Required value',
      'subjects[0].name: Invalid value: "": group name cannot be empty',
    ],
  },
  {
    name: 'an account of a group, without a namespace',
    change: { subjects: [{ kind: 'ServiceAccount', name: 'a', apiGroup: 'x' }] },
    want: [
      'subjects[0].apiGroup: Unsupported value: "x": supported values: ""',
      'subjects[0].namespace: Required value',
    ],
  },
  {
    name: 'a subject of another kind',
    change: { subjects: [{ kind: 'constructor', name: 'a' }] },
    want: [
      'subjects[0].kind: Unsupported value: "constructor": supported values: "ServiceAccount", "User", "Group"',
    ],
  },
];

describe('rules of RBAC', () => {
  it.each(roles)('a ClusterRole is refused for $name', ({ change, want }) => {
    expect(refusals(ClusterRoleKind, change)).toEqual(want);
  });

  it('a Role is refused for URLs', () => {
    expect(refusals(RoleKind, { rules: [urls] })).toEqual([
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ]);
  });

  it.each(bindings)('a ClusterRoleBinding is refused for $name', ({ change, want }) => {
    expect(refusals(ClusterRoleBindingKind, change)).toEqual(want);
  });

  it('a RoleBinding may name a Role, and accounts of its namespace', () => {
    const subjects = [{ kind: 'ServiceAccount', name: 'a' }];
    expect(refusals(RoleBindingKind, { roleRef: { kind: 'Role', name: 'a' }, subjects })).toEqual(
      [],
    );
  });

  it('a binding keeps its role', () => {
    const after = { roleRef: { ...roleRef, name: 'edit' } };
    expect(updateRefusals(RoleBindingKind, { roleRef }, after)).toEqual([
      'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef',
    ]);
  });
});
