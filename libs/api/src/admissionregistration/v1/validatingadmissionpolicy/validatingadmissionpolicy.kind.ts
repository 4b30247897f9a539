import { defineKind } from '../../../kind.js';
import type {
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../gen/types/admissionregistration.v1.js';
import { list } from '../../../meta/list.js';
import { keepMetadata, statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';
import { setMatchResourcesDefaults } from '../policy/policy.validation.js';
import { staticNameWarnings } from '../policy/static-names.js';
import {
  validateValidatingAdmissionPolicy,
  validateValidatingAdmissionPolicyBinding,
  validateValidatingAdmissionPolicyStatus,
} from './validatingadmissionpolicy.validation.js';

const HOME = { group: 'admissionregistration.k8s.io', version: 'v1' } as const;

/** `name`, `namespace/name` or what the selector says, for tables. */
export function paramRefCell(ref: ParamRef | undefined): string {
  if (!ref) return '<unset>';
  if (ref.name) return ref.namespace ? `${ref.namespace}/${ref.name}` : `*/${ref.name}`;
  return ref.selector ? `${ref.namespace ?? '*'}/selector` : '*/*';
}

/** `group/version/Kind`, for tables. */
export const paramKindCell = (kind: ParamKind | undefined): string =>
  kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>';

export const ValidatingAdmissionPolicyKind = defineKind<ValidatingAdmissionPolicy>({
  ...HOME,
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  categories: ['api-extensions'],
  scope: 'Cluster',
  setDefaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= 'Fail';
    setMatchResourcesDefaults(spec.matchConstraints);
  },
  strategy: strategyOf<ValidatingAdmissionPolicy>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    ownsStatus: true,
    initialStatus: () => ({}),
    checkCreate: (object) => validateValidatingAdmissionPolicy(object),
    checkUpdate: validateValidatingAdmissionPolicy,
    warnings: staticNameWarnings,
  }),
  status: statusStrategyOf<ValidatingAdmissionPolicy>(
    validateValidatingAdmissionPolicyStatus,
    keepMetadata,
  ),
  columns: table<ValidatingAdmissionPolicy>([
    nameColumn,
    count('Validations', ({ spec }) => list(spec?.validations).length),
    column('ParamKind', ({ spec }) => paramKindCell(spec?.paramKind)),
    ageColumn,
  ]),
  hasGeneration: true,
});

export const ValidatingAdmissionPolicyBindingKind = defineKind<ValidatingAdmissionPolicyBinding>({
  ...HOME,
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  categories: ['api-extensions'],
  scope: 'Cluster',
  setDefaults: ({ spec }) => {
    setMatchResourcesDefaults(spec?.matchResources);
  },
  strategy: strategyOf<ValidatingAdmissionPolicyBinding>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    check: validateValidatingAdmissionPolicyBinding,
    warnings: staticNameWarnings,
  }),
  columns: table<ValidatingAdmissionPolicyBinding>([
    nameColumn,
    column('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    column('ParamRef', ({ spec }) => paramRefCell(spec?.paramRef)),
    ageColumn,
  ]),
  hasGeneration: true,
});
