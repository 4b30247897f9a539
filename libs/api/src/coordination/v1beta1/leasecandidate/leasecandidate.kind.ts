import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { LeaseCandidate } from '../../../gen/types/coordination.v1beta1.js';
import { defineKind } from '../../../kind.js';
import { present } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { configKey } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateLeaseStrategy } from '../../v1/lease/lease-strategy.js';

const SPEC = FieldPath.of('spec');
const NUMBER = '(0|[1-9]\\d*)';
const PART = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)';
/** Of semver.org, 2.0.0. */
const SEMVER = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${PART}(?:\\.${PART})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

const partsOf = (version: string): number[] | undefined =>
  SEMVER.exec(version)?.slice(1, 4).map(Number);

function isOlder(version: string, other: string): boolean {
  const [a, b] = [partsOf(version) ?? [0, 0, 0], partsOf(other) ?? [0, 0, 0]];
  const at = a.findIndex((part, i) => part !== b[i]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

const semantic = (version: string, path: FieldPath): FieldError[] =>
  when(
    version !== '' && !partsOf(version),
    invalid(path, version, 'must be a valid semantic version'),
  );

/** k8s pkg/apis/coordination/validation/validation.go:ValidateLeaseCandidateSpec. */
function validate({ spec }: LeaseCandidate): FieldError[] {
  const { leaseName } = spec ?? {};
  const binaryVersion = spec?.binaryVersion ?? '';
  const emulationVersion = spec?.emulationVersion ?? '';
  const strategy = spec?.strategy ?? '';
  const binary = SPEC.child('binaryVersion');
  const emulation = SPEC.child('emulationVersion');
  const needsEmulation = strategy === 'OldestEmulationVersion' && !partsOf(emulationVersion);
  return [
    ...present(leaseName, SPEC.child('leaseName')),
    ...semantic(emulationVersion, emulation),
    ...(binaryVersion === '' ? [required(binary)] : semantic(binaryVersion, binary)),
    ...when(
      binaryVersion !== '' && emulationVersion !== '' && isOlder(binaryVersion, emulationVersion),
      invalid(binary, binaryVersion, 'must be greater than or equal to `emulationVersion`'),
    ),
    ...(strategy === ''
      ? [required(SPEC.child('strategy'))]
      : [
          ...when(
            needsEmulation,
            required(emulation, "must be specified when `strategy` is 'OldestEmulationVersion'"),
          ),
          ...validateLeaseStrategy(strategy, SPEC.child('strategy')),
        ]),
  ];
}

export const LeaseCandidateKind = defineKind<LeaseCandidate>({
  group: 'coordination.k8s.io',
  version: 'v1beta1',
  kind: 'LeaseCandidate',
  plural: 'leasecandidates',
  scope: 'Namespaced',
  strategy: strategyOf<LeaseCandidate>({
    namespaced: true,
    name: configKey,
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    check: validate,
    checkUpdate: ({ spec }, old) =>
      immutable(spec?.leaseName, old.spec?.leaseName, SPEC.child('leaseName')),
  }),
  columns: table<LeaseCandidate>([
    nameColumn,
    column('LeaseName', ({ spec }) => spec?.leaseName ?? ''),
    column('BinaryVersion', ({ spec }) => spec?.binaryVersion ?? ''),
    column('EmulationVersion', ({ spec }) => spec?.emulationVersion ?? ''),
    ageColumn,
  ]),
});
