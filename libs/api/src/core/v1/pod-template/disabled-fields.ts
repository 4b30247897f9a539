import type { Container, PodSpec, VolumeProjection } from '../../../types.js';
import { list } from '../../../meta/list.js';

type Projection = 'clusterTrustBundle' | 'podCertificate';

const containersOf = (spec: PodSpec): Container[] =>
  (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) => [
    ...list(spec[field] as readonly Container[] | undefined),
  ]);

const projections = (spec: PodSpec): VolumeProjection[] =>
  list(spec.volumes).flatMap(({ projected }) => [...list(projected?.sources)]);

const uses = (spec: PodSpec | undefined, field: Projection): boolean =>
  spec !== undefined && projections(spec).some((source) => Boolean(source[field]));

const hasSignals = (spec: PodSpec | undefined): boolean =>
  spec !== undefined && containersOf(spec).some(({ lifecycle }) => Boolean(lifecycle?.stopSignal));

function dropSignals(spec: PodSpec): void {
  for (const container of containersOf(spec)) {
    if (!container.lifecycle?.stopSignal) continue;
    delete container.lifecycle.stopSignal;
    if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle;
  }
}

/**
 * Takes fields away whose features 1.36 has off by default, unless the stored object has them: bundles and
 * certificates in projected volumes, signals to stop by, scheduling groups (k8s pkg/api/pod/util.go:dropDisabledFields).
 */
export function dropDisabledFields(spec: PodSpec | undefined, old?: PodSpec): void {
  if (!spec) return;
  for (const field of ['clusterTrustBundle', 'podCertificate'] as const) {
    if (!uses(old, field)) for (const source of projections(spec)) delete source[field];
  }
  if (!hasSignals(old)) dropSignals(spec);
  if (!old?.schedulingGroup) delete spec.schedulingGroup;
}
