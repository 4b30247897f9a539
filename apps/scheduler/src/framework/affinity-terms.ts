import type { LabelSelectorMatcher, LabelSelectorObject } from '@orrery/apimachinery';
import { labelSelectorMatcher } from '@orrery/apimachinery';
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '@orrery/api';

export type Labels = Readonly<Record<string, string>>;

/** Labels of a namespace, for terms with a namespaceSelector. */
export type NamespaceLabels = (namespace: string) => Labels;

/** A pod (anti-)affinity term, compiled. */
export interface AffinityTerm {
  readonly topologyKey: string;
  /** The same for terms that select the same pods over the same topology. */
  readonly key: string;
  /** The same for terms that select the same pods. */
  readonly podsKey: string;
  /** 0 for required terms. */
  readonly weight: number;
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelector: LabelSelectorMatcher;
  readonly selector: LabelSelectorMatcher;
}

/** The terms of one pod. */
export interface AffinityTerms {
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly AffinityTerm[];
  readonly preferredAntiAffinity: readonly AffinityTerm[];
}

type Expression = NonNullable<LabelSelectorObject['matchExpressions']>[number];

/** The selector with (mis)matchLabelKeys of the pod's own labels added. */
export function withLabelKeys(
  selector: LabelSelectorObject | undefined,
  labels: Labels | undefined,
  keys: { readonly match?: readonly string[]; readonly mismatch?: readonly string[] },
): LabelSelectorObject | undefined {
  if (!selector) return undefined;
  const toExpressions = (names: readonly string[] | undefined, operator: string): Expression[] =>
    (names ?? []).flatMap((key) => {
      const value = labels?.[key];
      return value === undefined ? [] : [{ key, operator, values: [value] }];
    });
  const added = [...toExpressions(keys.match, 'In'), ...toExpressions(keys.mismatch, 'NotIn')];
  if (added.length === 0) return selector;
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...added] };
}

/** Absent selectors select nothing, empty ones everything. */
const textOf = (selector: LabelSelectorMatcher | undefined): string =>
  selector ? `(${selector.toString()})` : 'nothing';

function compile(pod: Pod, term: PodAffinityTerm, weight: number): AffinityTerm {
  const named = term.namespaces ?? [];
  const own = named.length === 0 && !term.namespaceSelector;
  const keys = { match: term.matchLabelKeys, mismatch: term.mismatchLabelKeys };
  const namespaces = own ? [pod.metadata.namespace ?? ''] : named;
  const namespaceSelector = labelSelectorMatcher(term.namespaceSelector);
  const selector = labelSelectorMatcher(
    withLabelKeys(term.labelSelector, pod.metadata.labels, keys),
  );
  const podsKey = [
    [...namespaces].sort().join(','),
    textOf(term.namespaceSelector && namespaceSelector),
    textOf(term.labelSelector && selector),
  ].join('|');
  return {
    topologyKey: term.topologyKey,
    key: `${podsKey}|${term.topologyKey}`,
    podsKey,
    weight,
    namespaces: new Set(namespaces),
    namespaceSelector,
    selector,
  };
}

const compileAll = (pod: Pod, terms: readonly PodAffinityTerm[] | undefined): AffinityTerm[] =>
  (terms ?? []).map((term) => compile(pod, term, 0));

const compileWeighted = (
  pod: Pod,
  terms: readonly WeightedPodAffinityTerm[] | undefined,
): AffinityTerm[] =>
  (terms ?? []).map(({ podAffinityTerm, weight }) => compile(pod, podAffinityTerm, weight));

/** Undefined for the many pods that have none. */
export function affinityTermsOf(pod: Pod): AffinityTerms | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (!podAffinity && !podAntiAffinity) return undefined;
  return {
    requiredAffinity: compileAll(pod, podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: compileAll(
      pod,
      podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
    ),
    preferredAffinity: compileWeighted(
      pod,
      podAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
    ),
    preferredAntiAffinity: compileWeighted(
      pod,
      podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
    ),
  };
}

/** Whether the term selects the pod. */
export function termMatches(
  term: AffinityTerm,
  pod: Pod,
  namespaceLabels: NamespaceLabels,
): boolean {
  const namespace = pod.metadata.namespace ?? '';
  const { namespaces, namespaceSelector, selector } = term;
  const inNamespace =
    namespaces.has(namespace) ||
    namespaceSelector.empty ||
    (namespaceSelector.requirements.length > 0 &&
      namespaceSelector.matches(namespaceLabels(namespace)));
  return inNamespace && selector.matches(pod.metadata.labels);
}
