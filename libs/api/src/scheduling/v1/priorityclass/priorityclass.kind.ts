import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, notSupported, required } from '@orrery/apimachinery';
import type { PriorityClass } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { given, when } from '../../../meta/findings.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';

const HIGHEST_USER_PRIORITY = 1_000_000_000;
const SYSTEM_PREFIX = 'system-';

/** Names that begin with `system-` are the cluster's own (k8s pkg/apis/scheduling/helpers.go). */
const SYSTEM: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

/** In the order of upstream's message. */
const POLICIES = ['PreemptLowerPriority', 'Never'];

/** k8s pkg/apis/scheduling/v1/helpers.go:IsKnownSystemPriorityClass. */
function systemFault(name: string, value: number, isDefault: boolean): string | undefined {
  const known = Object.hasOwn(SYSTEM, name) ? SYSTEM[name] : undefined;
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return isDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validate({
  metadata,
  value = 0,
  preemptionPolicy,
  globalDefault,
}: PriorityClass): FieldError[] {
  const name = String(metadata?.name ?? '');
  const path = FieldPath.of('preemptionPolicy');
  const findings: FieldError[] = [];
  if (name.startsWith(SYSTEM_PREFIX)) {
    const fault = systemFault(name, value, globalDefault === true);
    if (fault !== undefined) {
      findings.push(
        forbidden(
          FieldPath.of('metadata', 'name'),
          `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${fault}`,
        ),
      );
    }
  } else if (value > HIGHEST_USER_PRIORITY) {
    findings.push(
      forbidden(
        FieldPath.of('value'),
        `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`,
      ),
    );
  }
  return [
    ...findings,
    ...given<string>(preemptionPolicy, (policy) =>
      policy === ''
        ? [required(path)]
        : when(!POLICIES.includes(policy), notSupported(path, policy, POLICIES, 'as given')),
    ),
  ];
}

export const PriorityClassKind = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  scope: 'Cluster',
  setDefaults(object) {
    object.preemptionPolicy ??= 'PreemptLowerPriority';
    object.value ??= 0;
  },
  strategy: strategyOf<PriorityClass>({
    namespaced: false,
    checkCreate: validate,
    checkUpdate: (object, old) => [
      ...(object.value === old.value
        ? []
        : [forbidden(FieldPath.of('value'), 'may not be changed in an update.')]),
      ...immutable(object.preemptionPolicy, old.preemptionPolicy, FieldPath.of('preemptionPolicy')),
    ],
  }),
  columns: table<PriorityClass>([
    nameColumn,
    count('Value', ({ value }) => value ?? 0),
    column('Global-Default', ({ globalDefault }) => globalDefault === true, 'boolean'),
    ageColumn,
    column('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
  ]),
  hasGeneration: true,
});
