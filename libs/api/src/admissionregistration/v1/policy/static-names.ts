import type { KubeObject } from '@orrery/apimachinery';

const SUFFIX = '.static.k8s.io';

/**
 * Names with this end belong to configurations that servers read from files
 * (k8s pkg/apis/admissionregistration/validation:WarningsForStaticSuffix; refused where
 * ManifestBasedAdmissionControlConfig is on, which it is not).
 */
export const staticNameWarnings = ({ metadata }: KubeObject): string[] =>
  metadata.name?.endsWith(SUFFIX)
    ? [
        `metadata.name: names ending with "${SUFFIX}" are reserved for static manifest-based configurations and cannot be managed via the API`,
      ]
    : [];
