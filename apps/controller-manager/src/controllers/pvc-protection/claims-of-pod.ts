import type { Pod } from '@orrery/api';

/** The claims that a pod names, those of its ephemeral volumes too. */
export function claimsOfPod({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName];
    return ephemeral ? [`${metadata.name ?? ''}-${name}`] : [];
  });
}
