import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid } from '@orrery/apimachinery';
import type { Lease } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { nonNegative } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateLeaseStrategy } from './lease-strategy.js';

const SPEC = FieldPath.of('spec');

function validate({ spec }: Lease): FieldError[] {
  const duration = spec?.leaseDurationSeconds;
  return [
    ...(typeof duration === 'number' && duration <= 0
      ? [invalid(SPEC.child('leaseDurationSeconds'), duration, 'must be greater than 0')]
      : []),
    ...nonNegative(spec?.leaseTransitions, SPEC.child('leaseTransitions')),
    ...given(spec?.strategy, (strategy) => validateLeaseStrategy(strategy, SPEC.child('strategy'))),
    ...when(
      Boolean(spec?.preferredHolder) && !spec?.strategy,
      forbidden(SPEC.child('preferredHolder'), 'may only be specified if `strategy` is defined'),
    ),
  ];
}

export const LeaseKind = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  scope: 'Namespaced',
  setDefaults(lease) {
    lease.spec ??= {};
  },
  strategy: strategyOf<Lease>({
    namespaced: true,
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    check: validate,
  }),
  columns: table<Lease>([
    nameColumn,
    column('Holder', ({ spec }) => spec?.holderIdentity ?? ''),
    ageColumn,
  ]),
  hasGeneration: false,
});
