import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, isInRange, required } from '@orrery/apimachinery';
import type {
  Affinity,
  Container,
  NodeSelectorTerm,
  Pod,
  PodSpec,
  Toleration,
} from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { jsonDiff } from '../../../meta/json-diff.js';
import { eachOf, entries, isDeepEqual, list } from '../../../meta/list.js';
import { validateTolerations } from '../pod-spec/scheduling.validation.js';
import { validatePodAnnotationsUpdate } from './pod-annotations.validation.js';

const SPEC = FieldPath.of('spec');
const MAX_INT32 = 2 ** 31 - 1;
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

const MUTABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function validateImages(containers: readonly Container[], path: FieldPath): FieldError[] {
  return eachOf(containers, ({ image = '' }, i) => {
    const at = path.index(i).child('image');
    const text = String(image ?? '');
    return [
      ...when(text === '', required(at)),
      ...when(
        text.trim() !== text,
        invalid(at, text, 'must not have leading or trailing whitespace'),
      ),
    ];
  });
}

const isAbsent = (value: number | undefined | null): boolean =>
  value === undefined || value === null;

function validateDeadline(spec: PodSpec, old: PodSpec): FieldError[] {
  const path = SPEC.child('activeDeadlineSeconds');
  const now = spec.activeDeadlineSeconds;
  const before = old.activeDeadlineSeconds;
  if (now === undefined || now === null) {
    const text = 'must not update from a positive integer to nil value';
    return when(!isAbsent(before), invalid(path, null, text));
  }
  const range = isInRange(now, 0, MAX_INT32);
  if (range.length > 0) return range.map((message) => invalid(path, now, message));
  const text = 'must be less than or equal to previous value';
  return when(!isAbsent(before) && (before ?? 0) < now, invalid(path, now, text));
}

/** Terms may be added; those that exist stay, but for their seconds. */
function validateAddedTolerations(spec: PodSpec, old: PodSpec): FieldError[] {
  const path = SPEC.child('tolerations');
  const isSame = (a: Toleration, b: Toleration): boolean =>
    isDeepEqual({ ...a, tolerationSeconds: undefined }, { ...b, tolerationSeconds: undefined });
  const lost = list(old.tolerations).filter(
    (before) => !list(spec.tolerations).some((after) => isSame(before, after)),
  );
  const text = 'existing toleration can not be modified except its tolerationSeconds';
  return lost.length > 0 ? [forbidden(path, text)] : validateTolerations(spec.tolerations, path);
}

function validateDeletedGates(spec: PodSpec, old: PodSpec): FieldError[] {
  const before = new Set(list(old.schedulingGates).map(({ name }) => name));
  return eachOf(spec.schedulingGates, ({ name }, i) =>
    when(
      !before.has(name),
      forbidden(
        SPEC.child('schedulingGates').index(i).child('name'),
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      ),
    ),
  );
}

function onlyAdds(now: NodeSelectorTerm | undefined, old: NodeSelectorTerm): boolean {
  const before = [list(old.matchExpressions), list(old.matchFields)] as const;
  const after = [list(now?.matchExpressions), list(now?.matchFields)] as const;
  if (before[0].length + before[1].length === 0) return after[0].length + after[1].length === 0;
  return before.every((terms, i) => isDeepEqual(after[i]?.slice(0, terms.length), terms));
}

const shownSpec = (spec: PodSpec): unknown => internalForm(spec, 'core/v1.PodSpec');

/** While a pod is held back by gates, where it may run can still be narrowed (KEP-3838). */
function validateNarrowing(spec: PodSpec, old: PodSpec): FieldError[] {
  const selector = spec.nodeSelector ?? {};
  const before = list(old.affinity?.nodeAffinity?.[REQUIRED]?.nodeSelectorTerms);
  const after = list(spec.affinity?.nodeAffinity?.[REQUIRED]?.nodeSelectorTerms);
  const path = SPEC.child('affinity', 'nodeAffinity', REQUIRED, 'nodeSelectorTerms');
  const isMoved = entries(old.nodeSelector).some(([key, value]) => selector[key] !== value);
  const selectorText =
    'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
  const findings = when(isMoved, invalid(SPEC.child('nodeSelector'), selector, selectorText));
  if (before.length > 0 && before.length !== after.length) {
    const text = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    const shown = after.map((term) => internalForm(term, 'core/v1.NodeSelectorTerm'));
    return [...findings, invalid(path, shown, text)];
  }
  const text = 'only additions are allowed (no mutations or deletions)';
  return [
    ...findings,
    ...before.flatMap((term, i) =>
      when(
        !onlyAdds(after[i], term),
        invalid(path.index(i), internalForm(after[i] ?? {}, 'core/v1.NodeSelectorTerm'), text),
      ),
    ),
  ];
}

const withImages = (
  containers: readonly Container[] | undefined,
  old: readonly Container[] | undefined,
): Container[] | undefined =>
  containers &&
  list(containers).map((container, i) => {
    const { image: _image, ...rest } = container;
    const image = list(old)[i]?.image;
    return image === undefined ? rest : { ...rest, image };
  });

/** Affinity with the stored part for nodes; none where nothing else would be left of it. */
function withNodeAffinity(
  now: Affinity | undefined,
  old: Affinity | undefined,
): Affinity | undefined {
  const { nodeAffinity: _now, ...rest } = now ?? {};
  const stored = old?.nodeAffinity;
  if (!stored) return Object.keys(rest).length === 0 && !old ? undefined : rest;
  return { ...rest, nodeAffinity: stored };
}

/** The new spec with every field that may change set back: equal to the old one unless something else changed. */
function withoutMutable(spec: PodSpec, old: PodSpec): PodSpec {
  const before = old as unknown as Record<string, unknown>;
  const result: Record<string, unknown> = {
    ...spec,
    containers: withImages(spec.containers, old.containers),
    initContainers: withImages(spec.initContainers, old.initContainers),
  };
  for (const field of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations']) {
    result[field] = before[field];
  }
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) {
    result['terminationGracePeriodSeconds'] = old.terminationGracePeriodSeconds;
  }
  if (list(old.schedulingGates).length > 0) {
    result['nodeSelector'] = old.nodeSelector;
    result['affinity'] = withNodeAffinity(spec.affinity, old.affinity);
  }
  return result as unknown as PodSpec;
}

/** Fields that are absent or empty compare alike, as Go's semantic equality has it. */
const isSameSpec = (a: PodSpec, b: PodSpec): boolean => {
  const clean = (spec: PodSpec): unknown =>
    Object.fromEntries(
      Object.entries(spec).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
    );
  return isDeepEqual(clean(a), clean(b));
};

/** k8s pkg/apis/core/validation/validation.go:ValidatePodUpdate. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec ?? { containers: [] };
  const before = old.spec ?? { containers: [] };
  const annotations = validatePodAnnotationsUpdate(pod, old);
  for (const field of ['containers', 'initContainers'] as const) {
    if (list(spec[field]).length !== list(before[field]).length) {
      const text = 'pod updates may not add or remove containers';
      return [...annotations, forbidden(SPEC.child(field), text)];
    }
  }
  const rest = withoutMutable(spec, before);
  const isGated = list(before.schedulingGates).length > 0;
  const deadline = validateDeadline(spec, before);
  const early = [
    ...annotations,
    ...validateImages(list(spec.containers), SPEC.child('containers')),
    ...validateImages(list(spec.initContainers), SPEC.child('initContainers')),
    ...deadline,
  ];
  // Upstream looks no further after a bad deadline, but for one that is gone.
  if (deadline.length > 0 && !isAbsent(spec.activeDeadlineSeconds)) return early;
  return [
    ...early,
    ...validateAddedTolerations(spec, before),
    ...validateDeletedGates(spec, before),
    ...(isGated ? validateNarrowing(spec, before) : []),
    ...(isSameSpec(rest, before)
      ? []
      : [forbidden(SPEC, `${MUTABLE}\n${jsonDiff(before, rest, shownSpec)}`)]),
  ];
}
