import { FieldPath } from '@orrery/apimachinery';
import type { KindContext } from '../../../kind.js';
import type {
  AppArmorProfile,
  LabelSelector,
  Pod,
  PodAffinityTerm,
  TopologySpreadConstraint,
} from '../../../types.js';
import { isDeepEqual, list, own } from '../../../meta/list.js';
import { dnsLabel } from '../../../meta/names.js';
import { containersOf } from '../pod-spec/os.validation.js';
import { APPARMOR } from './pod-annotations.validation.js';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';
const LOCAL = 'localhost/';

type Labels = Readonly<Record<string, string>> | undefined;

function addTerms(
  selector: LabelSelector,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Labels,
): void {
  for (const key of list(keys)) {
    const value = own(labels, key);
    if (value === undefined) continue;
    selector.matchExpressions = [
      ...list(selector.matchExpressions),
      { key, operator, values: [value] },
    ];
  }
}

/** No selector selects nothing, with whatever keys. */
function mergeKeys(term: PodAffinityTerm | TopologySpreadConstraint, labels: Labels): void {
  const { labelSelector, matchLabelKeys } = term;
  if (!labelSelector) return;
  addTerms(labelSelector, matchLabelKeys, 'In', labels);
  if ('mismatchLabelKeys' in term) addTerms(labelSelector, term.mismatchLabelKeys, 'NotIn', labels);
}

/** Keys of labels become terms of selectors by the values that the new pod has (mutatePodAffinity, mutateTopologySpreadConstraints). */
function mergeLabelKeys({ metadata, spec }: Pod): void {
  const { labels } = metadata;
  for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
    const terms = spec?.affinity?.[field];
    for (const { podAffinityTerm } of list(terms?.[PREFERRED]))
      if (podAffinityTerm) mergeKeys(podAffinityTerm, labels);
    for (const term of list(terms?.[REQUIRED])) mergeKeys(term, labels);
  }
  for (const constraint of list(spec?.topologySpreadConstraints)) mergeKeys(constraint, labels);
}

/** What an annotation of old says, when it can be said by a field. */
function profileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  const file = annotation.startsWith(LOCAL) ? annotation.slice(LOCAL.length) : '';
  const isLegal = file !== '' && file.trim() === file;
  return isLegal ? { type: 'Localhost', localhostProfile: file } : undefined;
}

/** Profiles in annotations become fields where those are empty (applyAppArmorVersionSkew). */
function moveProfiles({ metadata, spec }: Pod, { warn }: Pick<KindContext, 'warn'>): void {
  if (!spec || spec.os?.name === 'windows') return;
  for (const [container] of containersOf(spec, FieldPath.of('spec'))) {
    const key = `${APPARMOR}${container.name}`;
    const annotation = own(metadata.annotations, key);
    if (annotation === undefined || container.securityContext?.appArmorProfile) continue;
    const profile = profileOf(annotation);
    if (profile && isDeepEqual(profile, spec.securityContext?.appArmorProfile)) continue;
    if (profile)
      container.securityContext = { ...container.securityContext, appArmorProfile: profile };
    const at = FieldPath.of('metadata', 'annotations').key(key).toString();
    warn(`${at}: deprecated since v1.30; use the "appArmorProfile" field instead`);
  }
}

/** What a new pod is made into before it is looked at (k8s pkg/registry/core/pod/strategy.go:PrepareForCreate). */
export function prepareNewPod(pod: Pod, context: KindContext): void {
  mergeLabelKeys(pod);
  moveProfiles(pod, { warn: (text) => context.warn(text) });
}

/** The name of a pod is its host's name. */
export function podNameWarnings({ metadata }: Pod): string[] {
  const faults = dnsLabel(metadata.name ?? '').join(' ');
  return faults === ''
    ? []
    : [
        `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${faults}]`,
      ];
}
