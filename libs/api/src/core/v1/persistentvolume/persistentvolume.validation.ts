import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid } from '@orrery/apimachinery';
import type {
  CSIPersistentVolumeSource,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PersistentVolume,
  VolumeNodeAffinity,
} from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { jsonDiff } from '../../../meta/json-diff.js';
import { isDeepEqual, list, own } from '../../../meta/list.js';
import { labelValue } from '../../../meta/names.js';
import { FIELD_IMMUTABLE, immutable } from '../../../meta/object-meta.js';
import { sourcesOf, validateVolumeSpec } from './volume-spec.validation.js';

const SPEC = FieldPath.of('spec');

/** Labels of nodes by which upstream's clouds named zones and systems before they had names of their own. */
const LATER_LABELS: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

const expressionsOf = (term: NodeSelectorTerm | undefined): readonly NodeSelectorRequirement[] => [
  ...list(term?.matchExpressions),
  ...list(term?.matchFields),
];

const hasIllegalValue = (affinity: VolumeNodeAffinity | undefined): boolean =>
  list(affinity?.required?.nodeSelectorTerms).some(({ matchExpressions }) =>
    list(matchExpressions).some(({ values }) =>
      list(values).some((value) => labelValue(String(value)).length > 0),
    ),
  );

/** What was legal when it was stored stays so (ValidationOptionsForPersistentVolume). */
export const validateVolume = (volume: PersistentVolume, old?: PersistentVolume): FieldError[] =>
  validateVolumeSpec(volume.spec ?? {}, SPEC, {
    name: volume.metadata.name ?? '',
    keepsValues: hasIllegalValue(old?.spec?.nodeAffinity),
  });

/** The stored affinity with the later names of those labels that the new one calls by them. */
function renamed(now: VolumeNodeAffinity | undefined, old: VolumeNodeAffinity): VolumeNodeAffinity {
  const copy = structuredClone(old);
  for (const [i, term] of list(copy.required?.nodeSelectorTerms).entries()) {
    const after = expressionsOf(list(now?.required?.nodeSelectorTerms)[i]);
    for (const [e, expression] of expressionsOf(term).entries()) {
      const next = after[e];
      // A label without a later name has, as in upstream's map, the empty one; that is refused elsewhere.
      if (next && (next.key ?? '') === (own(LATER_LABELS, expression.key) ?? ''))
        expression.key = next.key;
    }
  }
  return copy;
}

/** Sources compare without the secret for expansion where it is filled in for the first time. */
function comparable(object: PersistentVolume, old: PersistentVolume): Record<string, unknown> {
  const sources = structuredClone(sourcesOf(object.spec));
  const csi = sources['csi'] as CSIPersistentVolumeSource | undefined;
  if (csi && old.spec?.csi && !old.spec.csi.controllerExpandSecretRef) {
    delete csi.controllerExpandSecretRef;
  }
  return sources;
}

const shownSource = (source: object): unknown =>
  internalForm(source, 'core/v1.PersistentVolumeSource');

/** k8s pkg/apis/core/validation/validation.go:ValidatePersistentVolumeUpdate. */
export function validateVolumeUpdate(
  object: PersistentVolume,
  old: PersistentVolume,
): FieldError[] {
  const now = comparable(object, old);
  const before = sourcesOf(old.spec);
  const text = `spec.persistentvolumesource is immutable after creation\n${jsonDiff(before, now, shownSource)}`;
  const affinity = object.spec?.nodeAffinity;
  const isMoved =
    Boolean(old.spec?.nodeAffinity) &&
    !isDeepEqual(affinity, renamed(affinity, old.spec?.nodeAffinity ?? {}));
  const className = SPEC.child('volumeAttributesClassName');
  const loses =
    (old.spec?.volumeAttributesClassName ?? null) !== null &&
    (object.spec?.volumeAttributesClassName ?? null) === null;
  return [
    ...validateVolume(object, old),
    ...when(!isDeepEqual(now, before), forbidden(SPEC.child('persistentvolumesource'), text)),
    ...immutable(object.spec?.volumeMode, old.spec?.volumeMode, FieldPath.of('volumeMode')),
    ...when(
      isMoved,
      invalid(
        FieldPath.of('nodeAffinity'),
        affinity ? internalForm(affinity, 'core/v1.VolumeNodeAffinity') : null,
        `${FIELD_IMMUTABLE}, except for updating from beta label to GA`,
      ),
    ),
    ...when(loses, forbidden(className, 'update from non-nil value to nil is forbidden')),
  ];
}
