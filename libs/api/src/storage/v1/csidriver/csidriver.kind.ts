import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, duplicate, invalid, notSupported } from '@orrery/apimachinery';
import type { CSIDriver } from '../../../gen/types/storage.v1.js';
import { defineKind } from '../../../kind.js';
import { supported } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');

/** k8s pkg/apis/storage/v1/defaults.go:SetDefaults_CSIDriver. */
export function setCsiDriverDefaults(driver: CSIDriver): void {
  driver.spec ??= {};
  const { spec } = driver;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if (list(spec.volumeLifecycleModes).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;
const MIN_UPDATE_SECONDS = 10;
const NO_TOKENS = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';

/** k8s pkg/apis/storage/validation/validation.go:validateTokenRequests. */
function validateTokens({ spec }: CSIDriver): FieldError[] {
  const path = SPEC.child('tokenRequests');
  const seen = new Set<string>();
  return eachOf(spec?.tokenRequests, (token, i) => {
    const audience = String(token.audience ?? '');
    const seconds = token.expirationSeconds;
    const at = path.index(i);
    if (seen.has(audience)) return [duplicate(at.child('audience'), audience)];
    seen.add(audience);
    const refuse = (bound: string): FieldError =>
      invalid(at.child('expirationSeconds'), seconds, `may not specify a duration ${bound}`);
    return given(seconds, (value) => [
      ...when(value < MIN_TOKEN_SECONDS, refuse('less than 10 minutes')),
      ...when(value > MAX_TOKEN_SECONDS, refuse('larger than 2^32 seconds')),
    ]);
  });
}

/** k8s pkg/apis/storage/validation/validation.go:validateCSIDriverSpec. */
const validate = (driver: CSIDriver): FieldError[] => {
  const { spec } = driver;
  const period = SPEC.child('nodeAllocatableUpdatePeriodSeconds');
  const modes = SPEC.child('volumeLifecycleModes');
  return [
    ...supported(
      spec?.fsGroupPolicy,
      ['ReadWriteOnceWithFSType', 'File', 'None'],
      SPEC.child('fsGroupPolicy'),
    ),
    ...validateTokens(driver),
    ...eachOf(spec?.volumeLifecycleModes, (mode) =>
      when(
        !['Persistent', 'Ephemeral'].includes(mode),
        notSupported(modes, mode, ['Persistent', 'Ephemeral'], 'as given'),
      ),
    ),
    ...given(spec?.nodeAllocatableUpdatePeriodSeconds, (seconds) =>
      when(
        seconds < MIN_UPDATE_SECONDS,
        invalid(period, seconds, 'must be greater than or equal to 10 seconds'),
      ),
    ),
    ...given(spec?.serviceAccountTokenInSecrets, (isSecret) =>
      when(
        list(spec?.tokenRequests).length === 0,
        invalid(SPEC.child('serviceAccountTokenInSecrets'), isSecret, NO_TOKENS),
      ),
    ),
  ];
};

/** Upstream names the field `attachedRequired` here. */
const validateUpdate = ({ spec }: CSIDriver, { spec: old }: CSIDriver): FieldError[] => [
  ...immutable(spec?.attachRequired, old?.attachRequired, SPEC.child('attachedRequired')),
  ...immutable(
    spec?.volumeLifecycleModes,
    old?.volumeLifecycleModes,
    SPEC.child('volumeLifecycleModes'),
  ),
];

/** A field whose gate (VolumeLimitScaling) is off in 1.36 stays only where it is (k8s pkg/registry/storage/csidriver/strategy.go). */
function dropAlpha({ spec }: CSIDriver, old?: CSIDriver): void {
  if ((old?.spec?.preventPodSchedulingIfMissing ?? null) === null) {
    delete spec?.preventPodSchedulingIfMissing;
  }
}

export const CSIDriverKind = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  scope: 'Cluster',
  setDefaults: setCsiDriverDefaults,
  strategy: strategyOf<CSIDriver>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    prepareForCreate: (driver) => {
      dropAlpha(driver);
    },
    prepareForUpdate: dropAlpha,
    check: validate,
    checkUpdate: validateUpdate,
  }),
  columns: table<CSIDriver>([
    nameColumn,
    column('AttachRequired', ({ spec }) => spec?.attachRequired !== false, 'boolean'),
    column('PodInfoOnMount', ({ spec }) => spec?.podInfoOnMount === true, 'boolean'),
    column('StorageCapacity', ({ spec }) => spec?.storageCapacity === true, 'boolean'),
    column(
      'TokenRequests',
      ({ spec }) =>
        list(spec?.tokenRequests)
          .map(({ audience }) => audience)
          .join(',') || '<unset>',
    ),
    column('RequiresRepublish', ({ spec }) => spec?.requiresRepublish === true, 'boolean'),
    column('Modes', ({ spec }) => list(spec?.volumeLifecycleModes).join(',') || '<none>'),
    ageColumn,
  ]),
  hasGeneration: true,
});
