import type { Container, EphemeralContainer, PodSpec } from '@orrery/api';

/** Every container of a pod: init, regular and ephemeral. Checks must use this (CVE-2023-2727, CVE-2023-2728). */
export function* visitContainers(
  spec: PodSpec | undefined,
): Iterable<Container | EphemeralContainer> {
  yield* spec?.initContainers ?? [];
  yield* spec?.containers ?? [];
  yield* spec?.ephemeralContainers ?? [];
}
