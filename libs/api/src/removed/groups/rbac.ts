import { ClusterRoleKind, RoleKind } from '../../rbac/v1/role/role.kind.js';
import {
  ClusterRoleBindingKind,
  RoleBindingKind,
} from '../../rbac/v1/rolebinding/rolebinding.kind.js';
import type { Json } from '../json.js';
import { changedItems, defined, without } from '../json.js';
import { removedKind } from '../removed-kind.js';

const GROUP = 'rbac.authorization.k8s.io';
const ALPHA = `${GROUP}/v1alpha1`;
const EVERYBODY = 'system:authenticated';

const groupPart = (apiVersion: unknown): string => {
  const [group, version] = typeof apiVersion === 'string' ? apiVersion.split('/') : [];
  return version === undefined ? '' : (group ?? '');
};

/** Subjects name an API version, not a group, and the user `*` is everybody (k8s pkg/apis/rbac/v1alpha1/conversion.go). */
function subjectToHub(subject: Json): Json {
  const { kind, name } = subject;
  const isOurs = kind === 'User' || kind === 'Group';
  const isAll = kind === 'User' && name === '*';
  const apiGroup = isOurs ? GROUP : groupPart(subject['apiVersion']);
  return defined({
    ...without(subject, 'apiVersion'),
    ...(isAll ? { kind: 'Group', name: EVERYBODY } : {}),
    apiGroup: kind === 'ServiceAccount' || apiGroup === '' ? undefined : apiGroup,
  });
}

function subjectFromHub(subject: Json): Json {
  const group = typeof subject['apiGroup'] === 'string' ? subject['apiGroup'] : '';
  const isOurs = group === GROUP && (subject['kind'] === 'User' || subject['kind'] === 'Group');
  const isAccount = subject['kind'] === 'ServiceAccount' && group === '';
  const apiVersion = isAccount ? 'v1' : isOurs ? ALPHA : group === '' ? undefined : `${group}/`;
  return defined({ ...without(subject, 'apiGroup'), apiVersion });
}

const bindingConversion = {
  toHub: (object: Json): Json => changedItems(object, 'subjects', subjectToHub),
  fromHub: (hub: Json): Json => changedItems(hub, 'subjects', subjectFromHub),
};

const IN_1_22 = { version: 'v1beta1', lifecycle: { deprecated: '1.17', removed: '1.22' } };

export const removedRbac = [
  ...[RoleKind, RoleBindingKind, ClusterRoleKind, ClusterRoleBindingKind].map((hub) =>
    removedKind(hub, IN_1_22),
  ),
  ...[RoleKind, ClusterRoleKind].map((hub) => removedKind(hub, { version: 'v1alpha1' })),
  ...[RoleBindingKind, ClusterRoleBindingKind].map((hub) =>
    removedKind(hub, { version: 'v1alpha1', conversion: bindingConversion }),
  ),
];
