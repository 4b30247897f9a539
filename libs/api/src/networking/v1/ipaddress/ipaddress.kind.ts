import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, canonicalIpFaults, required } from '@orrery/apimachinery';
import type { IPAddress, ParentReference } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { check, dnsSubdomain, pathSegment } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';

const PARENT = FieldPath.of('spec', 'parentRef');

/** k8s pkg/apis/networking/validation/validation.go:ValidateIPAddress; the core group of Services is ''. */
function validate({ spec }: IPAddress): FieldError[] {
  const parent = spec?.parentRef;
  if (!parent) return [required(PARENT)];
  const segment = (value: string | undefined, field: string): FieldError[] =>
    value ? check(pathSegment, value, PARENT.child(field)) : [required(PARENT.child(field))];
  return [
    ...(parent.group ? check(dnsSubdomain, parent.group, PARENT.child('group')) : []),
    ...segment(parent.resource, 'resource'),
    ...segment(parent.name, 'name'),
    ...(parent.namespace ? segment(parent.namespace, 'namespace') : []),
  ];
}

/** A reference as upstream's internal type prints it. */
const shownParent = (parent: ParentReference | undefined): object | null =>
  parent
    ? {
        Group: parent.group ?? '',
        Resource: parent.resource ?? '',
        Namespace: parent.namespace ?? '',
        Name: parent.name ?? '',
      }
    : null;

function parentText({ spec }: IPAddress): string {
  const parent = spec?.parentRef;
  if (!parent) return '<none>';
  const { group, resource, namespace, name } = parent;
  const kind = (group ? `${resource}.${group}` : String(resource)).toLowerCase();
  return [kind, ...(namespace ? [namespace] : []), name].join('/');
}

export const IPAddressKind = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  scope: 'Cluster',
  strategy: strategyOf<IPAddress>({
    namespaced: false,
    name: canonicalIpFaults,
    checkCreate: (object) => validate(object),
    checkUpdate: ({ spec }, old) =>
      immutable(shownParent(spec?.parentRef), shownParent(old.spec?.parentRef), PARENT),
  }),
  selectableFields: ({ spec }) => ({
    'spec.parentRef.group': spec?.parentRef?.group ?? '',
    'spec.parentRef.resource': spec?.parentRef?.resource ?? '',
    'spec.parentRef.namespace': spec?.parentRef?.namespace ?? '',
    'spec.parentRef.name': spec?.parentRef?.name ?? '',
  }),
  columns: table<IPAddress>([nameColumn, column('ParentRef', parentText)]),
});
