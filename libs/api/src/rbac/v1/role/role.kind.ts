import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { ClusterRole, PolicyRule, Role } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { when } from '../../../meta/findings.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { pathSegment } from '../../../meta/names.js';
import { strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';

const RULES = FieldPath.of('rules');

/** k8s pkg/apis/rbac/validation/validation.go:ValidatePolicyRule. */
function validateRule(rule: PolicyRule, namespaced: boolean, path: Path): FieldError[] {
  const urls = path.child('nonResourceURLs');
  const hasUrls = list(rule.nonResourceURLs).length > 0;
  const findings =
    list(rule.verbs).length > 0
      ? []
      : [required(path.child('verbs'), 'verbs must contain at least one value')];
  if (hasUrls) {
    const others = [rule.apiGroups, rule.resources, rule.resourceNames];
    if (namespaced) {
      findings.push(
        invalid(urls, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'),
      );
    }
    if (others.some((items) => list(items).length > 0)) {
      findings.push(
        invalid(
          urls,
          rule.nonResourceURLs,
          'rules cannot apply to both regular resources and non-resource URLs',
        ),
      );
    }
    return findings;
  }
  if (list(rule.apiGroups).length === 0) {
    findings.push(
      required(path.child('apiGroups'), 'resource rules must supply at least one api group'),
    );
  }
  if (list(rule.resources).length === 0) {
    findings.push(
      required(path.child('resources'), 'resource rules must supply at least one resource'),
    );
  }
  return findings;
}

const validateRules = (
  rules: readonly PolicyRule[] | undefined,
  namespaced: boolean,
): FieldError[] => eachOf(rules, (rule, i) => validateRule(rule, namespaced, RULES.index(i)));

function validateAggregation({ aggregationRule }: ClusterRole): FieldError[] {
  const path = FieldPath.of('aggregationRule', 'clusterRoleSelectors');
  if (!aggregationRule) return [];
  return list(aggregationRule.clusterRoleSelectors).length === 0
    ? [required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
    : eachOf(aggregationRule.clusterRoleSelectors, (selector, i) => {
        const findings = validateLabelSelector(selector, path.index(i));
        const isWrong = findings.length > 0;
        return [
          ...findings,
          ...when(isWrong, invalid(path.index(i), null, 'invalid label selector.')),
        ];
      });
}

const createdColumn = column(
  'Created At',
  ({ metadata }) => metadata.creationTimestamp ?? '<unknown>',
);

export const RoleKind = defineKind<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  scope: 'Namespaced',
  strategy: strategyOf<Role>({
    namespaced: true,
    allowCreateOnUpdate: true,
    name: pathSegment,
    check: ({ rules }) => validateRules(rules, true),
  }),
  columns: table<Role>([nameColumn, createdColumn]),
  hasGeneration: false,
});

export const ClusterRoleKind = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  scope: 'Cluster',
  strategy: strategyOf<ClusterRole>({
    namespaced: false,
    allowCreateOnUpdate: true,
    name: pathSegment,
    check: (role) => [...validateRules(role.rules, false), ...validateAggregation(role)],
  }),
  columns: table<ClusterRole>([nameColumn, createdColumn]),
  hasGeneration: false,
});
