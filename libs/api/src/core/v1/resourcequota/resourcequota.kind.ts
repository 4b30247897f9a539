import type { FieldError } from '@orrery/apimachinery';
import { FieldPath } from '@orrery/apimachinery';
import type { ResourceQuota } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf, entries, isDeepEqual } from '../../../meta/list.js';
import { check, qualifiedName } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { validateQuantities } from '../../../meta/quantity.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');

const SCOPES = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
] as const;

function validate({ spec }: ResourceQuota): FieldError[] {
  const hard = SPEC.child('hard');
  return [
    ...entries(spec?.hard).flatMap(([name]) => check(qualifiedName, name, hard.key(name))),
    ...validateQuantities(spec?.hard, hard),
    ...eachOf(spec?.scopes, (scope, i) => oneOf(scope, SCOPES, SPEC.child('scopes').index(i))),
  ];
}

const fixedScopes = ({ spec }: ResourceQuota, old: ResourceQuota): FieldError[] =>
  isDeepEqual(spec?.scopes, old.spec?.scopes)
    ? []
    : immutable(spec?.scopes ?? [], old.spec?.scopes ?? [], SPEC.child('scopes'));

/** `cpu: 1/2, pods: 3/10`: requests and counts in one column, limits in the other. */
function usageText({ status }: ResourceQuota, wantsLimits: boolean): string {
  return entries(status?.hard)
    .filter(([name]) => name.startsWith('limits.') === wantsLimits)
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? '0'}/${hard}`)
    .join(', ');
}

export const ResourceQuotaKind = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  scope: 'Namespaced',
  setDefaults(quota) {
    quota.spec ??= {};
  },
  strategy: strategyOf<ResourceQuota>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({}),
    check: validate,
    checkUpdate: fixedScopes,
  }),
  status: statusStrategyOf<ResourceQuota>(({ status }) => [
    ...validateQuantities(status?.hard, STATUS.child('hard')),
    ...validateQuantities(status?.used, STATUS.child('used')),
  ]),
  columns: table<ResourceQuota>([
    nameColumn,
    column('Request', (quota) => usageText(quota, false)),
    column('Limit', (quota) => usageText(quota, true)),
    ageColumn,
  ]),
  hasGeneration: false,
});
