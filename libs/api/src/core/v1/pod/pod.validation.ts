import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid } from '@orrery/apimachinery';
import type { Container, Pod, PodSpec, Toleration } from '../../../types.js';
import { isDeepEqual, list } from '../../../meta/list.js';
import { validatePodSpec } from '../pod-spec/pod-spec.validation.js';

const SPEC = FieldPath.of('spec');

const MUTABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export function validatePod(pod: Pod): FieldError[] {
  return validatePodSpec(pod.spec, SPEC);
}

/** Ephemeral containers come only through their own subresource. */
export function validatePodCreate(pod: Pod): FieldError[] {
  return list(pod.spec?.ephemeralContainers).length > 0
    ? [forbidden(SPEC.child('ephemeralContainers'), 'cannot be set on create')]
    : [];
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

/** Terms may be added; those that exist stay, but for their seconds when they are NoExecute. */
function keepsTolerations(spec: PodSpec, old: PodSpec): boolean {
  const same = (a: Toleration, b: Toleration): boolean =>
    isDeepEqual({ ...a, tolerationSeconds: undefined }, { ...b, tolerationSeconds: undefined });
  return list(old.tolerations).every((before) =>
    list(spec.tolerations).some((after) => same(before, after)),
  );
}

/** The new spec with every field that may change set back: equal to the old one unless something else changed. */
function withoutMutable(spec: PodSpec, old: PodSpec): PodSpec {
  const before = old as unknown as Record<string, unknown>;
  const result: Record<string, unknown> = {
    ...spec,
    containers: withImages(spec.containers, old.containers),
    initContainers: withImages(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: before['activeDeadlineSeconds'],
  };
  if (keepsTolerations(spec, old)) result['tolerations'] = before['tolerations'];
  if (list(old.schedulingGates).length > 0) {
    // While gated, node selectors and affinity may be narrowed (KEP-3838) and gates removed.
    for (const field of ['schedulingGates', 'nodeSelector', 'affinity'])
      result[field] = before[field];
  }
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) {
    result['terminationGracePeriodSeconds'] = before['terminationGracePeriodSeconds'];
  }
  return result as unknown as PodSpec;
}

/** Top-level fields of the spec that differ, in the manner of a diff. */
function differences(spec: PodSpec, old: PodSpec): string {
  const now = spec as unknown as Record<string, unknown>;
  const before = old as unknown as Record<string, unknown>;
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((field) => !isDeepEqual(now[field], before[field]))
    .sort()
    .map(
      (field) =>
        `- ${field}: ${JSON.stringify(before[field])}\n+ ${field}: ${JSON.stringify(now[field])}`,
    )
    .join('\n');
}

function validateDeadline(spec: PodSpec, old: PodSpec): FieldError[] {
  const path = SPEC.child('activeDeadlineSeconds');
  const before = old.activeDeadlineSeconds;
  const now = spec.activeDeadlineSeconds;
  if (before === undefined || before === null) return [];
  if (now === undefined || now === null) {
    return [invalid(path, null, 'must not update from a positive integer to nil value')];
  }
  return now > before ? [invalid(path, now, 'must be less than or equal to previous value')] : [];
}

function validateGateUpdate(spec: PodSpec, old: PodSpec): FieldError[] {
  const before = new Set(list(old.schedulingGates).map((gate) => gate.name));
  const added = list(spec.schedulingGates).filter((gate) => !before.has(gate.name));
  return added.length === 0
    ? []
    : [
        forbidden(
          SPEC.child('schedulingGates').index(0),
          `only deletion is allowed, but found new scheduling gate '${added[0]?.name}'`,
        ),
      ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidatePodUpdate. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec ?? { containers: [] };
  const before = old.spec ?? { containers: [] };
  if (
    list(spec.containers).length !== list(before.containers).length ||
    list(spec.initContainers).length !== list(before.initContainers).length
  ) {
    const field =
      list(spec.containers).length === list(before.containers).length
        ? 'initContainers'
        : 'containers';
    return [forbidden(SPEC.child(field), 'pod updates may not add or remove containers')];
  }
  const rest = withoutMutable(spec, before);
  return [
    ...validateDeadline(spec, before),
    ...validateGateUpdate(spec, before),
    ...(isDeepEqual(rest, before)
      ? []
      : [forbidden(SPEC, `${MUTABLE}\n${differences(rest, before)}`)]),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:ValidatePodStatusUpdate, the node name's part. */
export function validatePodStatus(pod: Pod, old: Pod): FieldError[] {
  return old.spec?.nodeName === pod.spec?.nodeName
    ? []
    : [forbidden(FieldPath.of('status', 'nodeName'), 'may not be changed directly')];
}
