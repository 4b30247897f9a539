import type { ControllerRevision, Pod, PodTemplateSpec, StatefulSet, Volume } from '@orrery/api';

export const REVISION_LABEL = 'controller-revision-hash';
export const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
export const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';

export const podNameOf = (set: StatefulSet, ordinal: number): string =>
  `${set.metadata.name ?? ''}-${ordinal}`;

/** The ordinal of a pod by its name; undefined when the name is not one of the set's. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${set.metadata.name ?? ''}-`;
  const name = pod.metadata.name ?? '';
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^(?:0|[1-9]\d*)$/.test(digits) ? Number(digits) : undefined;
}

export const firstOrdinal = (set: StatefulSet): number => set.spec?.ordinals?.start ?? 0;
export const replicasOf = (set: StatefulSet): number => set.spec?.replicas ?? 1;

export const claimNameOf = (set: StatefulSet, template: string, ordinal: number): string =>
  `${template}-${podNameOf(set, ordinal)}`;

export const identityLabels = (set: StatefulSet, ordinal: number): Record<string, string> => ({
  [POD_NAME_LABEL]: podNameOf(set, ordinal),
  [POD_INDEX_LABEL]: String(ordinal),
});

/** A template that a revision holds. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const data = revision.data as { spec?: { template?: PodTemplateSpec & { $patch?: string } } };
  const { $patch: _, ...template } = data.spec?.template ?? { spec: { containers: [] } };
  return template;
}

/** Gives a new pod its name in the network, its labels and its claims. Mutates. */
export function giveIdentity(
  pod: Pod,
  set: StatefulSet,
  { ordinal, revision }: { readonly ordinal: number; readonly revision: string },
): void {
  const spec = pod.spec ?? { containers: [] };
  pod.metadata.labels = {
    ...pod.metadata.labels,
    ...identityLabels(set, ordinal),
    [REVISION_LABEL]: revision,
  };
  spec.hostname = podNameOf(set, ordinal);
  if (set.spec?.serviceName) spec.subdomain = set.spec.serviceName;
  const claims = (set.spec?.volumeClaimTemplates ?? []).map(({ metadata }): Volume => {
    const name = metadata?.name ?? '';
    return {
      name,
      persistentVolumeClaim: { claimName: claimNameOf(set, name, ordinal), readOnly: false },
    };
  });
  const others = (spec.volumes ?? []).filter(({ name }) => !claims.some((c) => c.name === name));
  if (claims.length + others.length > 0) spec.volumes = [...claims, ...others];
  pod.spec = spec;
}
