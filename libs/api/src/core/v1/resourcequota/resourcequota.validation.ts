import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { ResourceQuota, ResourceQuotaSpec } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { eachOf, entries, list } from '../../../meta/list.js';
import { FIELD_IMMUTABLE } from '../../../meta/object-meta.js';
import {
  QUOTA_RESOURCES,
  isQuotaHugePages,
  validateQuotaResourceName,
  validateResourceAmount,
} from '../../../meta/resource-names.js';

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
];
const POD_COMPUTE = [
  'pods',
  ...['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
];
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;
const CLAIMS = ['persistentvolumeclaims', 'requests.storage'];
const CLAIM_SCOPE = 'VolumeAttributesClass';
const EXISTS_ONLY = SCOPES.filter((scope) => scope !== 'PriorityClass' && scope !== CLAIM_SCOPE);

/** Scopes narrow pods, each only for resources that the pods in it have. */
function isScopeFor(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === CLAIM_SCOPE) return CLAIMS.includes(resource);
  return SCOPES.includes(scope) ? POD_COMPUTE.includes(resource) : true;
}

const conflicts = (scopes: readonly string[]): boolean =>
  CONFLICTS.some((pair) => pair.every((scope) => scopes.includes(scope)));

const hardNames = (spec: ResourceQuotaSpec): string[] =>
  entries(spec.hard)
    .map(([name]) => name)
    .filter((name) => QUOTA_RESOURCES.includes(name) || isQuotaHugePages(name));

function validateScopes(spec: ResourceQuotaSpec): FieldError[] {
  const path = SPEC.child('scopes');
  const scopes = list(spec.scopes);
  return [
    ...scopes.flatMap((scope) => [
      ...when(!SCOPES.includes(scope), invalid(path, scopes, 'unsupported scope')),
      ...hardNames(spec)
        .filter((name) => !isScopeFor(scope, name))
        .map(() => invalid(path, scopes, 'unsupported scope applied to resource')),
    ]),
    ...when(conflicts(scopes), invalid(path, scopes, 'conflicting scopes')),
  ];
}

const ONLY_EXISTS =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

function validateOperator(operator: string, values: readonly string[], path: Path): FieldError[] {
  if (operator === 'In' || operator === 'NotIn') {
    const text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    return when(values.length === 0, required(path.child('values'), text));
  }
  if (operator === 'Exists' || operator === 'DoesNotExist') {
    const text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    return when(values.length > 0, invalid(path.child('values'), values, text));
  }
  return [invalid(path.child('operator'), operator, 'not a valid selector operator')];
}

/** Upstream names the list of expressions, not the one at fault. */
function validateScopeSelector(spec: ResourceQuotaSpec): FieldError[] {
  const path = SPEC.child('scopeSelector', 'matchExpressions');
  const terms = list(spec.scopeSelector?.matchExpressions);
  const text = 'unsupported scope applied to resource';
  return [
    ...eachOf(terms, ({ scopeName, operator, values }) => [
      ...when(
        !SCOPES.includes(scopeName),
        invalid(path.child('scopeName'), scopeName ?? '', 'unsupported scope'),
      ),
      ...hardNames(spec)
        .filter((name) => !isScopeFor(scopeName, name))
        .map(() =>
          invalid(path, internalForm(spec.scopeSelector ?? {}, 'core/v1.ScopeSelector'), text),
        ),
      ...when(
        EXISTS_ONLY.includes(scopeName) && operator !== 'Exists',
        invalid(path.child('operator'), operator ?? '', ONLY_EXISTS),
      ),
      ...validateOperator(String(operator ?? ''), list(values), path),
    ]),
    ...when(
      conflicts(terms.map(({ scopeName }) => scopeName)),
      invalid(path, list(spec.scopes), 'conflicting scopes'),
    ),
  ];
}

const validateAmounts = (
  amounts: Readonly<Record<string, string>> | undefined,
  path: Path,
): FieldError[] =>
  entries(amounts).flatMap(([name, amount]) => [
    ...validateQuotaResourceName(name, path.key(name)),
    ...validateResourceAmount(name, amount, path.key(name)),
  ]);

/** k8s pkg/apis/core/validation/validation.go:ValidateResourceQuotaSpec. */
export function validateQuota(quota: ResourceQuota): FieldError[] {
  const spec: ResourceQuotaSpec = quota.spec ?? {};
  return [
    ...validateAmounts(spec.hard, SPEC.child('hard')),
    ...validateScopes(spec),
    ...validateScopeSelector(spec),
  ];
}

export function validateQuotaUpdate({ spec }: ResourceQuota, old: ResourceQuota): FieldError[] {
  const now = new Set(list(spec?.scopes));
  const before = new Set(list(old.spec?.scopes));
  const isSame = now.size === before.size && [...now].every((scope) => before.has(scope));
  return when(!isSame, invalid(SPEC.child('scopes'), spec?.scopes, FIELD_IMMUTABLE));
}

export const validateQuotaStatus = ({ status }: ResourceQuota): FieldError[] => [
  ...validateAmounts(status?.hard, STATUS.child('hard')),
  ...validateAmounts(status?.used, STATUS.child('used')),
];
