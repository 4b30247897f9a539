import { emptyFields, fieldsAt } from '@orrery/apimachinery';
import type { FieldSet } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';

/** What a write through one subresource (`''` = the object itself) cannot set, or which fields alone it can. */
export type SettableFields =
  | { readonly ignored: FieldSet; readonly only?: undefined }
  | { readonly only: FieldSet; readonly ignored?: undefined };

type Rules = Readonly<Record<string, SettableFields>>;

const all = (...names: readonly string[]): SettableFields => ({
  ignored: fieldsAt(...names.map((name) => name.split('.'))),
});
const NOTHING: SettableFields = { ignored: emptyFields };
const SPEC = all('spec');
const STATUS = all('status');
const SPEC_AND_METADATA = all('spec', 'metadata');
const STATUS_ALONE: Rules = { status: SPEC_AND_METADATA };

/** Where a kind differs from "the object keeps its status, and the status its spec". */
const RULES: Readonly<Record<string, Rules>> = {
  '/pods': {
    status: all('spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'),
    ephemeralcontainers: { only: fieldsAt(['spec', 'ephemeralContainers']) },
    resize: {
      only: fieldsAt(
        ['spec', 'containers', '*', 'resources'],
        ['spec', 'containers', '*', 'resizePolicy'],
        ['spec', 'initContainers', '*', 'resources'],
        ['spec', 'initContainers', '*', 'resizePolicy'],
      ),
    },
  },
  '/namespaces': { finalize: STATUS },
  'apps/deployments': { status: all('spec', 'metadata.labels') },
  'certificates.k8s.io/certificatesigningrequests': {
    '': all('spec', 'status'),
    status: all('spec', 'status.conditions'),
    approval: all('spec', 'status.certificate'),
  },
  'certificates.k8s.io/podcertificaterequests': { '': NOTHING },
  // Upstream names them under a group that there is not.
  'networking.k8s.io/servicecidrs': { '': NOTHING, status: NOTHING },
  'admissionregistration.k8s.io/validatingadmissionpolicies': STATUS_ALONE,
  'apiregistration.k8s.io/apiservices': STATUS_ALONE,
  'flowcontrol.apiserver.k8s.io/flowschemas': STATUS_ALONE,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': STATUS_ALONE,
  'storage.k8s.io/volumeattachments': STATUS_ALONE,
  'storagemigration.k8s.io/storageversionmigrations': STATUS_ALONE,
};

const COMMON: Rules = { '': STATUS, status: SPEC };

/**
 * What a write leaves as it is, and so takes from nobody and gives to nobody
 * (k8s pkg/registry/…/strategy.go:GetResetFields, GetResetFieldsFilter; apiextensions pkg/registry/customresource/status_strategy.go).
 */
export function settableFields(
  { group, plural, status }: Pick<KindDescriptor, 'group' | 'plural' | 'status'>,
  subresource: string,
  isCustom: boolean,
): SettableFields {
  const rules = isCustom ? STATUS_ALONE : RULES[`${group}/${plural}`];
  const own = rules?.[subresource];
  if (own) return own;
  return (status && COMMON[subresource]) || NOTHING;
}
