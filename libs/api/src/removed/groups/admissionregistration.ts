import type { FieldError } from '@orrery/apimachinery';
import {
  MutatingWebhookConfigurationKind,
  ValidatingWebhookConfigurationKind,
} from '../../admissionregistration/v1/webhookconfiguration/webhookconfiguration.kind.js';
import {
  ValidatingAdmissionPolicyBindingKind,
  ValidatingAdmissionPolicyKind,
} from '../../admissionregistration/v1/validatingadmissionpolicy/validatingadmissionpolicy.kind.js';
import { list } from '../../meta/list.js';
import type { Json } from '../json.js';
import { removedKind } from '../removed-kind.js';

/** k8s pkg/apis/admissionregistration/v1beta1/defaults.go. Mutates. */
function setDefaults(object: Json): void {
  for (const webhook of list(object['webhooks'] as Json[] | undefined)) {
    webhook['failurePolicy'] ??= 'Ignore';
    webhook['matchPolicy'] ??= 'Exact';
    webhook['sideEffects'] ??= 'Unknown';
    webhook['timeoutSeconds'] ??= 30;
    if (list(webhook['admissionReviewVersions'] as string[] | undefined).length === 0)
      webhook['admissionReviewVersions'] = ['v1beta1'];
  }
}

/** v1 alone wants webhooks to say that a dry run is safe (k8s …/validation/validation.go:noSideEffects). */
const tolerates = ({ field, type }: FieldError): boolean =>
  type === 'FieldValueNotSupported' && /^webhooks\[\d+\]\.sideEffects$/.test(field);

const IN_1_22 = { deprecated: '1.16', removed: '1.22' };
const IN_1_34 = { deprecated: '1.31', removed: '1.34', replacement: false } as const;

export const removedAdmissionregistration = [
  ...[MutatingWebhookConfigurationKind, ValidatingWebhookConfigurationKind].map((hub) =>
    removedKind(hub, { version: 'v1beta1', lifecycle: IN_1_22, setDefaults, tolerates }),
  ),
  ...[ValidatingAdmissionPolicyKind, ValidatingAdmissionPolicyBindingKind].map((hub) =>
    removedKind(hub, { version: 'v1beta1', lifecycle: IN_1_34 }),
  ),
];
