import type { FieldError } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { StatefulSet, StatefulSetSpec } from '../../../types.js';
import {
  nonNegative,
  notAboveAll,
  scaledValue,
  validateIntOrPercent,
} from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { validateClaimSpec } from '../../../core/v1/persistentvolumeclaim/claim-spec.validation.js';
import { SPEC, validateWorkload } from '../workload/workload.js';

/** Fields of the spec that an update may change, in the order of upstream's message. */
const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

const FIXED_MESSAGE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/** The set as its pods will see it: claim templates are volumes that containers may mount. */
function withClaimVolumes(object: StatefulSet): StatefulSet {
  const { spec } = object;
  const claims = list(spec?.volumeClaimTemplates).flatMap(({ metadata }) => metadata?.name ?? []);
  if (!spec?.template?.spec || claims.length === 0) return object;
  const own = list(spec.template.spec.volumes).filter(({ name }) => !claims.includes(name));
  const volumes = claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  const pod = { ...spec.template.spec, volumes: [...own, ...volumes] };
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: pod } } };
}

function validateStrategy(strategy: StatefulSetSpec['updateStrategy']): FieldError[] {
  const path = SPEC.child('updateStrategy');
  const { type, rollingUpdate } = strategy ?? {};
  const at = path.child('rollingUpdate');
  if (!type) return [required(path)];
  if (type === 'OnDelete') {
    const text = "only allowed for updateStrategy 'RollingUpdate'";
    const shown = internalForm(rollingUpdate ?? {}, 'apps/v1.RollingUpdateStatefulSetStrategy');
    return when(Boolean(rollingUpdate), invalid(at, shown, text));
  }
  if (type !== 'RollingUpdate') {
    const shown = internalForm(strategy ?? {}, 'apps/v1.StatefulSetUpdateStrategy');
    return [invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  return [
    ...nonNegative(rollingUpdate?.partition, at.child('partition')),
    ...given(rollingUpdate?.maxUnavailable, (value) => [
      ...validateIntOrPercent(value, at.child('maxUnavailable')),
      ...when(
        scaledValue(value, 100) === 0,
        invalid(at.child('maxUnavailable'), value, 'cannot be 0'),
      ),
      ...notAboveAll(value, at.child('maxUnavailable')),
    ]),
  ];
}

function validateRetention(spec: Partial<StatefulSetSpec>): FieldError[] {
  const path = SPEC.child('persistentVolumeClaimRetentionPolicy');
  return given(spec.persistentVolumeClaimRetentionPolicy, (policy) =>
    (['whenDeleted', 'whenScaled'] as const).flatMap((field) =>
      when(
        !['Delete', 'Retain'].includes(String(policy[field])),
        notSupported(path.child(field), policy[field] ?? '', ['Retain', 'Delete'], 'as given'),
      ),
    ),
  );
}

const POLICIES = ['OrderedReady', 'Parallel'];

/** What cannot change once it is stored: name of the service, templates of claims. */
function validateFixed(spec: Partial<StatefulSetSpec>): FieldError[] {
  const claims = SPEC.child('volumeClaimTemplates');
  return [
    ...(spec.serviceName ? check(dnsSubdomain, spec.serviceName, SPEC.child('serviceName')) : []),
    ...eachOf(spec.volumeClaimTemplates, (claim, i) =>
      validateClaimSpec(claim.spec, claims.index(i).child('spec')),
    ),
  ];
}

/** k8s pkg/apis/apps/validation/validation.go:ValidateStatefulSetSpec; `old` of an update. */
export function validateStatefulSet(object: StatefulSet, old?: StatefulSet): FieldError[] {
  const spec: Partial<StatefulSetSpec> = object.spec ?? {};
  const policy = SPEC.child('podManagementPolicy');
  return [
    ...(spec.podManagementPolicy
      ? when(
          !POLICIES.includes(spec.podManagementPolicy),
          invalid(policy, spec.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"),
        )
      : [required(policy)]),
    ...validateStrategy(spec.updateStrategy),
    ...validateRetention(spec),
    ...nonNegative(spec.ordinals?.start, SPEC.child('ordinals', 'start')),
    ...validateWorkload(withClaimVolumes(object), 'statefulset', 'StatefulSet'),
    ...(old ? [] : validateFixed(spec)),
  ];
}

/** k8s pkg/apis/apps/validation/validation.go:ValidateStatefulSetUpdate. */
export function validateStatefulSetUpdate(object: StatefulSet, old: StatefulSet): FieldError[] {
  const before = (old.spec ?? {}) as unknown as Record<string, unknown>;
  const now: Record<string, unknown> = { ...object.spec };
  for (const field of MUTABLE) now[field] = before[field];
  return [
    ...validateStatefulSet(object, old),
    ...when(!isDeepEqual(now, before), forbidden(SPEC, FIXED_MESSAGE)),
  ];
}
