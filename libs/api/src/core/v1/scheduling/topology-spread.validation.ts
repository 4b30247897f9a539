import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { duplicate, forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { LabelSelector, TopologySpreadConstraint } from '../../../types.js';
import { given, when } from '../../../meta/findings.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { entries, eachOf, list } from '../../../meta/list.js';
import { check, qualifiedName } from '../../../meta/names.js';

const ACTIONS = ['DoNotSchedule', 'ScheduleAnyway'];
const INCLUSION = ['Honor', 'Ignore'];
const NEEDS_SELECTOR = 'must not be specified when labelSelector is not set';

const positive = (value: number, path: FieldPath): FieldError[] =>
  when(value <= 0, invalid(path, value, 'must be greater than zero'));

function validateKeys(
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  path: FieldPath,
): FieldError[] {
  if (list(keys).length === 0) return [];
  if (!selector) return [forbidden(path, NEEDS_SELECTOR)];
  return eachOf(keys, (key, i) => check(qualifiedName, key, path.index(i)));
}

/**
 * Keys whose values are taken from the pod itself. The API server merges them into the selector, so that a key may
 * stand there once (k8s pkg/apis/core/validation/validation.go:ValidateMatchLabelKeysAndMismatchLabelKeys).
 */
export function validateMatchLabelKeys(
  term: {
    readonly matchLabelKeys?: readonly string[];
    readonly mismatchLabelKeys?: readonly string[];
    readonly labelSelector?: LabelSelector;
  },
  path: FieldPath,
): FieldError[] {
  const { matchLabelKeys, mismatchLabelKeys, labelSelector } = term;
  const keys = list(matchLabelKeys);
  const seen = new Set(entries(labelSelector?.matchLabels).map(([key]) => key));
  const twice = eachOf(labelSelector?.matchExpressions, ({ key }) => {
    const i = keys.lastIndexOf(key);
    const isRepeated = i >= 0 && seen.has(key);
    seen.add(key);
    const text = 'exists in both matchLabelKeys and labelSelector';
    return when(isRepeated, invalid(path.index(i), key, text));
  });
  return [
    ...validateKeys(matchLabelKeys, labelSelector, path.child('matchLabelKeys')),
    ...validateKeys(mismatchLabelKeys, labelSelector, path.child('mismatchLabelKeys')),
    ...twice,
    ...keys.flatMap((key, i) =>
      when(
        list(mismatchLabelKeys).includes(key),
        invalid(
          path.child('matchLabelKeys').index(i),
          key,
          'exists in both matchLabelKeys and mismatchLabelKeys',
        ),
      ),
    ),
  ];
}

function validateConstraint(constraint: TopologySpreadConstraint, at: FieldPath): FieldError[] {
  const action = String(constraint.whenUnsatisfiable ?? '');
  const inclusion = (policy: string, field: string): FieldError[] =>
    when(!INCLUSION.includes(policy), notSupported(at.child(field), policy, INCLUSION));
  return [
    ...given(constraint.minDomains, (domains) => [
      ...positive(domains, at.child('minDomains')),
      ...when(
        action !== 'DoNotSchedule',
        invalid(
          at.child('minDomains'),
          domains,
          `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`,
        ),
      ),
    ]),
    ...given(constraint.nodeAffinityPolicy, (policy) => inclusion(policy, 'nodeAffinityPolicy')),
    ...given(constraint.nodeTaintsPolicy, (policy) => inclusion(policy, 'nodeTaintsPolicy')),
    ...validateMatchLabelKeys(constraint, at),
    ...validateLabelSelector(constraint.labelSelector, at.child('labelSelector')),
  ];
}

/** What no two constraints may have in common. */
const pairOf = ({ topologyKey, whenUnsatisfiable }: TopologySpreadConstraint): string =>
  JSON.stringify([topologyKey, String(whenUnsatisfiable ?? '')]);

/** k8s pkg/apis/core/validation/validation.go:validateTopologySpreadConstraints. */
export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: FieldPath,
): FieldError[] {
  const all = list(constraints);
  const last = new Map(all.map((constraint, i) => [pairOf(constraint), i]));
  return all.flatMap((constraint, i) => {
    const at = path.index(i);
    const { topologyKey } = constraint;
    const action = String(constraint.whenUnsatisfiable ?? '');
    const isRepeated = last.get(pairOf(constraint)) !== i;
    return [
      ...positive(constraint.maxSkew ?? 0, at.child('maxSkew')),
      ...when(!topologyKey, required(at.child('topologyKey'), 'can not be empty')),
      ...when(
        !ACTIONS.includes(action),
        notSupported(at.child('whenUnsatisfiable'), action, ACTIONS),
      ),
      ...when(
        isRepeated,
        duplicate(at.child('{topologyKey, whenUnsatisfiable}'), `{${topologyKey}, ${action}}`),
      ),
      ...validateConstraint(constraint, at),
    ];
  });
}
