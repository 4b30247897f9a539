import { defineKind } from '../../../kind.js';
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from '../../../gen/types/admissionregistration.v1.js';
import { list } from '../../../meta/list.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';
import { setMatchResourcesDefaults } from '../policy/policy.validation.js';
import { staticNameWarnings } from '../policy/static-names.js';
import {
  paramKindCell,
  paramRefCell,
} from '../validatingadmissionpolicy/validatingadmissionpolicy.kind.js';
import {
  validateMutatingAdmissionPolicy,
  validateMutatingAdmissionPolicyBinding,
} from './mutatingadmissionpolicy.validation.js';

const HOME = { group: 'admissionregistration.k8s.io', version: 'v1' } as const;

export const MutatingAdmissionPolicyKind = defineKind<MutatingAdmissionPolicy>({
  ...HOME,
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  categories: ['api-extensions'],
  scope: 'Cluster',
  setDefaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= 'Fail';
    setMatchResourcesDefaults(spec.matchConstraints);
  },
  strategy: strategyOf<MutatingAdmissionPolicy>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    checkCreate: (object) => validateMutatingAdmissionPolicy(object),
    checkUpdate: validateMutatingAdmissionPolicy,
    warnings: staticNameWarnings,
  }),
  columns: table<MutatingAdmissionPolicy>([
    nameColumn,
    count('Mutations', ({ spec }) => list(spec?.mutations).length),
    column('ParamKind', ({ spec }) => paramKindCell(spec?.paramKind)),
    ageColumn,
  ]),
  hasGeneration: true,
});

export const MutatingAdmissionPolicyBindingKind = defineKind<MutatingAdmissionPolicyBinding>({
  ...HOME,
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  categories: ['api-extensions'],
  scope: 'Cluster',
  setDefaults: ({ spec }) => {
    setMatchResourcesDefaults(spec?.matchResources);
  },
  strategy: strategyOf<MutatingAdmissionPolicyBinding>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    check: validateMutatingAdmissionPolicyBinding,
    warnings: staticNameWarnings,
  }),
  columns: table<MutatingAdmissionPolicyBinding>([
    nameColumn,
    column('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    column('ParamRef', ({ spec }) => paramRefCell(spec?.paramRef)),
    ageColumn,
  ]),
  hasGeneration: true,
});
