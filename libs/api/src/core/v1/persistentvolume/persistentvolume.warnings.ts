import { FieldPath } from '@orrery/apimachinery';
import type { PersistentVolume, PersistentVolumeSpec } from '../../../types.js';
import { eachOf } from '../../../meta/list.js';
import { termWarnings } from '../pod-warnings/scheduling-warnings.js';

const SPEC = FieldPath.of('spec');
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** Drivers inside of Kubernetes that no release has any more, by their fields and as upstream prints those. */
const GONE: readonly [keyof PersistentVolumeSpec, string, string][] = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** The class of a volume or claim in the annotation of old. */
export const betaClassWarnings = ({
  metadata,
}: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}): string[] =>
  metadata.annotations?.[BETA_CLASS] === undefined
    ? []
    : [
        `metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`,
      ];

/** k8s pkg/api/persistentvolume/util.go:GetWarningsForPersistentVolume. */
export function volumeWarnings(volume: PersistentVolume): string[] {
  const { spec } = volume;
  const policy = SPEC.child('persistentVolumeReclaimPolicy').toString();
  const terms = SPEC.child('nodeAffinity', 'required', 'nodeSelectorTerms');
  return [
    ...betaClassWarnings(volume),
    ...(spec?.persistentVolumeReclaimPolicy === 'Recycle'
      ? [
          `${policy}: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.`,
        ]
      : []),
    ...eachOf(spec?.nodeAffinity?.required?.nodeSelectorTerms, (term, i) =>
      termWarnings(term, terms.index(i), false),
    ),
    ...GONE.filter(([field]) => spec?.[field]).map(
      ([, as, text]) => `${SPEC.child(as).toString()}: ${text}`,
    ),
  ];
}
