import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid } from '@orrery/apimachinery';
import type {
  Container,
  EphemeralContainer,
  Pod,
  PodSpec,
  ResourceRequirements,
} from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { jsonDiff } from '../../../meta/json-diff.js';
import { entries, isDeepEqual, list } from '../../../meta/list.js';
import { validatePodAnnotationsUpdate, MIRROR } from './pod-annotations.validation.js';
import { qosClassOf } from './pod-qos.js';

const SPEC = FieldPath.of('spec');
/** Upstream finds fault with the whole object here. */
const NO_FIELD = FieldPath.of('');

const isStatic = (pod: Pod): boolean => pod.metadata.annotations?.[MIRROR] !== undefined;

const shownEphemeral = (container: EphemeralContainer): unknown =>
  internalForm(container, 'core/v1.EphemeralContainer');

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
          `existing ephemeral containers ${name} may not be changed\n${jsonDiff(before, after, shownEphemeral)}`,
        ),
      );
    }),
  ];
}

const RESIZABLE = ['cpu', 'memory'];
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

type Amounts = Readonly<Record<string, string>> | undefined;

/** Amounts with the cpu and memory that they had. */
function restored(now: Amounts, before: Amounts): Record<string, string> | undefined {
  if (!before) return undefined;
  const others = entries(now).filter(([name]) => !RESIZABLE.includes(name));
  const stored = entries(before).filter(([name]) => RESIZABLE.includes(name));
  return Object.fromEntries([...others, ...stored]);
}

function withOldCompute(
  now: ResourceRequirements | undefined,
  old: ResourceRequirements | undefined,
): ResourceRequirements {
  const limits = restored(now?.limits, old?.limits);
  const requests = restored(now?.requests, old?.requests);
  const claims = now?.claims;
  return {
    ...(claims ? { claims } : {}),
    ...(limits ? { limits } : {}),
    ...(requests ? { requests } : {}),
  };
}

/** The container with the cpu and memory that it had. */
const withoutCompute = (container: Container, old: Container): Container => ({
  ...container,
  resources: withOldCompute(container.resources, old.resources),
});

const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

const restartsOnResize = ({ resizePolicy }: Container): boolean =>
  list(resizePolicy).some(({ restartPolicy }) => restartPolicy === 'RestartContainer');

function initFindings(after: Container, before: Container, at: Path): FieldError[] {
  const text = 'only cpu and memory resources for init or sidecar containers are mutable';
  const changed = !isSidecar(before) && !isDeepEqual(after, before);
  return [
    ...when(!isDeepEqual(withoutCompute(after, before), before), forbidden(at, text)),
    ...when(
      changed && restartsOnResize(after),
      forbidden(
        at,
        'non-sidecar init containers with a resize policy of RestartContainer cannot be resized',
      ),
    ),
  ];
}

function resizeFindings(spec: PodSpec, old: PodSpec): FieldError[] {
  const each = (
    field: 'containers' | 'initContainers',
    judge: (after: Container, before: Container, at: Path) => FieldError[],
  ): FieldError[] =>
    list(old[field]).flatMap((before, i) =>
      judge(list(spec[field])[i] ?? before, before, SPEC.child(field).index(i)),
    );
  const removed = (after: Container, before: Container, at: Path): FieldError[] =>
    validateRemoved(after.resources, before.resources, at.child('resources'));
  return [
    ...each('initContainers', removed),
    ...each('containers', removed),
    ...each('containers', (after, before) =>
      when(
        !isDeepEqual(withoutCompute(after, before), before),
        forbidden(SPEC, 'only cpu and memory resources are mutable'),
      ),
    ),
    ...each('initContainers', initFindings),
  ];
}

const hasPodResources = ({ spec }: Pod): boolean =>
  keysOf(spec?.resources?.requests).length + keysOf(spec?.resources?.limits).length > 0;

/** Resources of the pod as a whole (k8s validation.go:validatePodLevelResourcesResize). */
function podLevelFindings(now: PodSpec, old: PodSpec): FieldError[] {
  const path = SPEC.child('resources');
  if (old.resources && !now.resources)
    return [forbidden(path, 'pod-level resources cannot be removed')];
  const lost = (['requests', 'limits'] as const).flatMap((field) => {
    const after = keysOf(now.resources?.[field]);
    const isLost = keysOf(old.resources?.[field]).some((name) => !after.includes(name));
    return when(
      isLost,
      forbidden(path.child(field), `pod-level resource ${field} cannot be removed`),
    );
  });
  const others = ([name]: readonly [string, string]): boolean => !RESIZABLE.includes(name);
  const kept = old.resources
    ? withOldCompute(now.resources, old.resources)
    : {
        claims: list(now.resources?.claims),
        amounts: [...entries(now.resources?.requests), ...entries(now.resources?.limits)].filter(
          others,
        ),
      };
  const text = 'only cpu and memory resources are mutable at pod-level';
  const before = old.resources ?? { claims: [], amounts: [] };
  return [...lost, ...when(!isDeepEqual(kept, before), forbidden(SPEC, text))];
}

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
  const order = orderFindings(spec, before);
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
    ...(isWhole ? podLevelFindings(spec, before) : []),
    ...order,
    ...(order.length > 0 ? [] : resizeFindings(spec, before)),
  ];
}
