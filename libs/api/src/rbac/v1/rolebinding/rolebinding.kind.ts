import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, notSupported, required } from '@orrery/apimachinery';
import type { ClusterRoleBinding, RoleBinding, RoleRef, Subject } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { check, dnsSubdomain, pathSegment } from '../../../meta/names.js';
import { strategyOf } from '../../../meta/strategy.js';
import type { Column } from '../../../table/columns.js';
import { ageColumn, column, nameColumn, table, wide } from '../../../table/columns.js';

const RBAC = 'rbac.authorization.k8s.io';
const ROLE_REF = FieldPath.of('roleRef');
const SUBJECTS = FieldPath.of('subjects');
const SUBJECT_KINDS = ['ServiceAccount', 'User', 'Group'];

type Binding = RoleBinding | ClusterRoleBinding;

/** k8s pkg/apis/rbac/v1/defaults.go. */
export function setBindingDefaults({ roleRef, subjects }: Binding): void {
  if (roleRef) roleRef.apiGroup ||= RBAC;
  for (const subject of list(subjects)) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= RBAC;
  }
}

function validateSubject(subject: Subject, namespaced: boolean, i: number): FieldError[] {
  const at = SUBJECTS.index(i);
  const { kind, name, namespace, apiGroup = '' } = subject;
  const findings = name ? [] : [required(at.child('name'))];
  const group = at.child('apiGroup');
  switch (kind) {
    case 'ServiceAccount':
      if (name) findings.push(...check(dnsSubdomain, name, at.child('name')));
      if (apiGroup) findings.push(notSupported(group, apiGroup, ['']));
      if (!namespaced && !namespace) findings.push(required(at.child('namespace')));
      return findings;
    case 'User':
    case 'Group':
      if (!name)
        findings.push(invalid(at.child('name'), '', `${kind.toLowerCase()} name cannot be empty`));
      return apiGroup === RBAC ? findings : [...findings, notSupported(group, apiGroup, [RBAC])];
    default:
      return [...findings, notSupported(at.child('kind'), kind ?? '', SUBJECT_KINDS, 'as given')];
  }
}

/** k8s pkg/apis/rbac/validation/validation.go:ValidateRoleBinding. */
function validate({ roleRef, subjects }: Binding, namespaced: boolean): FieldError[] {
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  const apiGroup = roleRef?.apiGroup ?? '';
  const kind = roleRef?.kind ?? '';
  const name = roleRef?.name ?? '';
  return [
    ...(apiGroup === RBAC ? [] : [notSupported(ROLE_REF.child('apiGroup'), apiGroup, [RBAC])]),
    ...(kinds.includes(kind)
      ? []
      : [notSupported(ROLE_REF.child('kind'), kind, kinds, 'as given')]),
    ...(name
      ? check(pathSegment, name, ROLE_REF.child('name'))
      : [required(ROLE_REF.child('name'))]),
    ...eachOf(subjects, (subject, i) => validateSubject(subject, namespaced, i)),
  ];
}

/** A reference as upstream's internal type prints it. */
const shownRole = (ref: RoleRef | undefined): object => ({
  APIGroup: ref?.apiGroup ?? '',
  Kind: ref?.kind ?? '',
  Name: ref?.name ?? '',
});

const fixedRole = ({ roleRef }: Binding, old: Binding): FieldError[] =>
  isDeepEqual(roleRef, old.roleRef)
    ? []
    : [invalid(ROLE_REF, shownRole(roleRef), 'cannot change roleRef')];

const names = ({ subjects }: Binding, kind: string): string =>
  list(subjects)
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');

const columns: readonly Column<Binding>[] = [
  column('Role', ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`),
  ageColumn,
  wide('Users', (binding) => names(binding, 'User')),
  wide('Groups', (binding) => names(binding, 'Group')),
  wide('ServiceAccounts', (binding) => names(binding, 'ServiceAccount')),
];

export const RoleBindingKind = defineKind<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  scope: 'Namespaced',
  setDefaults: setBindingDefaults,
  strategy: strategyOf<RoleBinding>({
    namespaced: true,
    allowCreateOnUpdate: true,
    name: pathSegment,
    check: (binding) => validate(binding, true),
    checkUpdate: fixedRole,
  }),
  columns: table<RoleBinding>([nameColumn, ...columns]),
  hasGeneration: false,
});

export const ClusterRoleBindingKind = defineKind<ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  scope: 'Cluster',
  setDefaults: setBindingDefaults,
  strategy: strategyOf<ClusterRoleBinding>({
    namespaced: false,
    allowCreateOnUpdate: true,
    name: pathSegment,
    check: (binding) => validate(binding, false),
    checkUpdate: fixedRole,
  }),
  columns: table<ClusterRoleBinding>([nameColumn, ...columns]),
  hasGeneration: false,
});
