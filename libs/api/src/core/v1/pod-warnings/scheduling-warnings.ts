import type { FieldPath } from '@orrery/apimachinery';
import type { NodeSelectorTerm, PodAffinityTerm, PodSpec } from '../../../types.js';
import { eachOf, entries } from '../../../meta/list.js';
import { labelValue } from '../../../meta/names.js';
import { deprecatedLabel } from './deprecated-labels.js';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';
const NULL_SELECTOR = 'a null labelSelector results in matching no pod';

/** Labels of one term that have been replaced and, where asked, values that no label can have. */
export function termWarnings(
  term: NodeSelectorTerm,
  path: FieldPath,
  checksValues: boolean,
): string[] {
  return eachOf(term.matchExpressions, ({ key, values }, i) => {
    const at = path.child('matchExpressions').index(i);
    const message = deprecatedLabel(key);
    return [
      ...(message ? [`${at.child('key').toString()}: ${key} is ${message}`] : []),
      ...eachOf(checksValues ? values : [], (value, v) =>
        labelValue(String(value)).map(
          (fault) => `${at.child('values').index(v).toString()}: ${value} is invalid, ${fault}`,
        ),
      ),
    ];
  });
}

const nullSelector = (term: PodAffinityTerm | undefined, path: FieldPath): string[] =>
  term?.labelSelector ? [] : [`${path.child('labelSelector').toString()}: ${NULL_SELECTOR}`];

function affinityWarnings({ affinity }: PodSpec, path: FieldPath): string[] {
  const nodes = path.child('nodeAffinity');
  const terms = nodes.child(REQUIRED, 'nodeSelectorTerms');
  return [
    ...eachOf(affinity?.nodeAffinity?.[REQUIRED]?.nodeSelectorTerms, (term, i) =>
      termWarnings(term, terms.index(i), false),
    ),
    ...eachOf(affinity?.nodeAffinity?.[PREFERRED], ({ preference }, i) =>
      termWarnings(preference ?? {}, nodes.child(PREFERRED).index(i).child('preference'), true),
    ),
  ];
}

/** Where pods may run: labels that have been replaced. */
export const nodeWarnings = (spec: PodSpec, path: FieldPath): string[] => [
  ...entries(spec.nodeSelector).flatMap(([key]) => {
    const message = deprecatedLabel(key);
    return message ? [`${path.child('nodeSelector').key(key).toString()}: ${message}`] : [];
  }),
  ...affinityWarnings(spec, path.child('affinity')),
  ...eachOf(spec.topologySpreadConstraints, (constraint, i) => {
    const at = path.child('topologySpreadConstraints').index(i);
    const message = deprecatedLabel(constraint.topologyKey);
    const key = at.child('topologyKey').toString();
    return [
      ...(message ? [`${key}: ${constraint.topologyKey} is ${message}`] : []),
      ...(constraint.labelSelector
        ? []
        : [`${at.child('labelSelector').toString()}: ${NULL_SELECTOR}`]),
    ];
  }),
];

/** Selectors of other pods that select none. */
export const selectorWarnings = ({ affinity }: PodSpec, path: FieldPath): string[] =>
  (['podAffinity', 'podAntiAffinity'] as const).flatMap((field) => {
    const at = path.child('affinity', field);
    return [
      ...eachOf(affinity?.[field]?.[REQUIRED], (term, i) =>
        nullSelector(term, at.child(REQUIRED).index(i)),
      ),
      ...eachOf(affinity?.[field]?.[PREFERRED], ({ podAffinityTerm }, i) =>
        nullSelector(podAffinityTerm, at.child(PREFERRED).index(i).child('podAffinityTerm')),
      ),
    ];
  });
