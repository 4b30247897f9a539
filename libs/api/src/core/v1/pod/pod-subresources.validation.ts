import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid } from '@orrery/apimachinery';
import type { Container, Pod, PodSpec, ResourceRequirements } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { jsonDiff } from '../../../meta/json-diff.js';
import { entries, isDeepEqual, list } from '../../../meta/list.js';
import { validatePodAnnotationsUpdate, MIRROR } from './pod-annotations.validation.js';
import { qosClassOf } from './pod-qos.js';

const SPEC = FieldPath.of('spec');
/** Upstream finds fault with the whole object here. */
const NO_FIELD = FieldPath.of('');

const isStatic = (pod: Pod): boolean => pod.metadata.annotations?.[MIRROR] !== undefined;

/** k8s pkg/apis/core/validation/validation.go:ValidatePodEphemeralContainersUpdate. */
export function validateEphemeralUpdate(pod: Pod, old: Pod): FieldError[] {
  if (isStatic(old))
    return [forbidden(NO_FIELD, 'static pods do not support ephemeral containers')];
  const path = SPEC.child('ephemeralContainers');
  const now = new Map(list(pod.spec?.ephemeralContainers).map((each) => [each.name, each]));
  return [
    ...validatePodAnnotationsUpdate(pod, old),
    ...list(old.spec?.ephemeralContainers).flatMap((before) => {
      const after = now.get(before.name);
      const name = JSON.stringify(before.name);
      if (!after)
        return [forbidden(path, `existing ephemeral containers ${name} may not be removed\n`)];
      return when(
        !isDeepEqual(after, before),
        forbidden(
          path,
          `existing ephemeral containers ${name} may not be changed\n${jsonDiff(before, after)}`,
        ),
      );
    }),
  ];
}

const RESIZABLE = ['cpu', 'memory'];
/** What upstream says where the feature is off. */
const NOT_AS_A_WHOLE =
  'resize of pods with pod-level resources is forbidden when InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled';

const keysOf = (amounts: Readonly<Record<string, string>> | undefined): string[] =>
  entries(amounts).map(([name]) => name);

function validateRemoved(
  now: ResourceRequirements | undefined,
  old: ResourceRequirements | undefined,
  path: Path,
): FieldError[] {
  return (['requests', 'limits'] as const).flatMap((field) => {
    const after = keysOf(now?.[field]);
    const isLost = keysOf(old?.[field]).some((name) => !after.includes(name));
    return when(isLost, forbidden(path.child(field), `resource ${field} cannot be removed`));
  });
}

function orderFindings(spec: PodSpec, old: PodSpec): FieldError[] {
  return (['containers', 'initContainers'] as const).flatMap((field) => {
    const path = SPEC.child(field);
    const [now, before] = [list(spec[field]), list(old[field])];
    if (now.length !== before.length) {
      return [forbidden(path, `${field} may not be added or removed on resize`)];
    }
    const text = `${field} may not be renamed or reordered on resize`;
    return before.flatMap(({ name }, i) =>
      when(now[i]?.name !== name, forbidden(path.index(i).child('name'), text)),
    );
  });
}

/** The container with the cpu and memory that it had. */
function withoutCompute(container: Container, old: Container): Container {
  const restore = (
    now: Readonly<Record<string, string>> | undefined,
    before: Readonly<Record<string, string>> | undefined,
  ): Record<string, string> | undefined => {
    if (!before) return undefined;
    const others = entries(now).filter(([name]) => !RESIZABLE.includes(name));
    const stored = entries(before).filter(([name]) => RESIZABLE.includes(name));
    return Object.fromEntries([...others, ...stored]);
  };
  const limits = restore(container.resources?.limits, old.resources?.limits);
  const requests = restore(container.resources?.requests, old.resources?.requests);
  const claims = container.resources?.claims;
  return {
    ...container,
    resources: {
      ...(claims ? { claims } : {}),
      ...(limits ? { limits } : {}),
      ...(requests ? { requests } : {}),
    },
  };
}

const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

function resizeFindings(spec: PodSpec, old: PodSpec): FieldError[] {
  const main = list(old.containers).flatMap((before, i) => {
    const after = list(spec.containers)[i] ?? before;
    return [
      ...validateRemoved(
        after.resources,
        before.resources,
        SPEC.child('containers').index(i).child('resources'),
      ),
      ...when(
        !isDeepEqual(withoutCompute(after, before), before),
        forbidden(SPEC, 'only cpu and memory resources are mutable'),
      ),
    ];
  });
  const init = list(old.initContainers).flatMap((before, i) => {
    const after = list(spec.initContainers)[i] ?? before;
    if (!isSidecar(before)) {
      const text = 'resources for non-sidecar init containers are immutable';
      return when(!isDeepEqual(after, before), forbidden(SPEC, text));
    }
    const text = 'only cpu and memory resources for init or sidecar containers are mutable';
    const at = SPEC.child('initContainers').index(i);
    return [
      ...validateRemoved(after.resources, before.resources, at.child('resources')),
      ...when(!isDeepEqual(withoutCompute(after, before), before), forbidden(at, text)),
    ];
  });
  return [...init, ...main];
}

const hasPodResources = ({ spec }: Pod): boolean =>
  keysOf(spec?.resources?.requests).length + keysOf(spec?.resources?.limits).length > 0;

/** The kubelet shows resources of what it runs once it can change them. */
const canResize = ({ status }: Pod): boolean => {
  const running = list(status?.containerStatuses).find(({ state }) => state?.running);
  return !running || running.resources !== undefined;
};

/** k8s pkg/apis/core/validation/validation.go:ValidatePodResize. */
export function validateResize(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec ?? { containers: [] };
  const before = old.spec ?? { containers: [] };
  if (isStatic(old)) return [forbidden(NO_FIELD, 'static pods cannot be resized')];
  if (before.os?.name === 'windows') return [forbidden(NO_FIELD, 'windows pods cannot be resized')];
  const isWhole = hasPodResources(old) || hasPodResources(pod);
  const order = isWhole ? [] : orderFindings(spec, before);
  const qos = old.status?.qosClass ?? qosClassOf(before);
  return [
    ...when(
      qos !== qosClassOf(spec),
      invalid(
        SPEC,
        pod.status?.qosClass ?? '',
        'Pod QOS Class may not change as a result of resizing',
      ),
    ),
    ...when(!canResize(old), forbidden(SPEC, 'Pod running on node without support for resize')),
    ...when(isWhole, forbidden(NO_FIELD, NOT_AS_A_WHOLE)),
    ...order,
    ...(isWhole || order.length > 0 ? [] : resizeFindings(spec, before)),
  ];
}
