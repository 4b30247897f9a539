import type { Container, EphemeralContainer, PodSpec } from '@orrery/api';
import type { ObjectMeta } from '@orrery/apimachinery';

export type AnyContainer = Container | EphemeralContainer;

export interface CheckedPod {
  readonly metadata: Pick<ObjectMeta, 'annotations'>;
  readonly spec: PodSpec;
}

/** Why a pod fails a check; undefined when it passes. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export type CheckPod = (pod: CheckedPod) => Violation | undefined;

/** One check as of a minor version of Kubernetes 1.x. */
export interface CheckVersion {
  readonly since: number;
  readonly check: CheckPod;
  /** Ids of baseline checks that need not run beside it. */
  readonly overrides?: readonly string[];
}

export interface Check {
  readonly id: string;
  readonly level: 'baseline' | 'restricted';
  /** In rising order. */
  readonly versions: readonly CheckVersion[];
}

/** Init, regular and ephemeral containers: every check sees them all (CVE-2023-2727, CVE-2023-2728). */
export const containersOf = ({ spec }: CheckedPod): AnyContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

export const quoted = (items: Iterable<string>): string =>
  [...items].map((item) => `"${item}"`).join(', ');

export const plural = (one: string, many: string, count: number): string =>
  count === 1 ? one : many;

/** `container "a"`, `containers "a", "b"`. */
export const named = (containers: readonly string[]): string =>
  `${plural('container', 'containers', containers.length)} ${quoted(containers)}`;

export const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

/** Names of the containers of which `isBad` holds. */
export const badContainers = (
  pod: CheckedPod,
  isBad: (container: AnyContainer) => boolean,
): string[] =>
  containersOf(pod)
    .filter(isBad)
    .map(({ name }) => name);

/** `pod and container "a"`. */
export const setters = (pod: boolean, containers: readonly string[]): string[] => [
  ...(pod ? ['pod'] : []),
  ...(containers.length > 0 ? [named(containers)] : []),
];

export const isWindows = ({ spec }: CheckedPod): boolean => spec.os?.name === 'windows';

/** Some checks do not hold for pods with a user namespace of their own (since 1.35). */
export const hasUserNamespace = ({ spec }: CheckedPod): boolean => spec.hostUsers === false;

export const unless =
  (passes: (pod: CheckedPod) => boolean, check: CheckPod): CheckPod =>
  (pod) =>
    passes(pod) ? undefined : check(pod);
