import { CertificateSigningRequestKind } from '../../certificates/v1/certificatesigningrequest/certificatesigningrequest.kind.js';
import { list } from '../../meta/list.js';
import type { Json } from '../json.js';
import { fieldsOf } from '../json.js';
import { removedKind } from '../removed-kind.js';

/** The signer of requests that name none, unless they are for a kubelet. */
const LEGACY = 'kubernetes.io/legacy-unknown';
const USAGES = ['digital signature', 'key encipherment'];

/** k8s pkg/apis/certificates/v1beta1/defaults.go; mutates. The request itself is not read: who wants a kubelet's signer names it. */
function setDefaults(object: Json): void {
  const spec = object['spec'];
  if (typeof spec === 'object' && spec !== null) {
    const fields = spec as Json;
    fields['usages'] ??= [...USAGES];
    fields['signerName'] ??= LEGACY;
  }
  const { conditions } = fieldsOf(object['status']);
  for (const condition of list(conditions as Json[] | undefined)) condition['status'] ||= 'True';
}

export const removedCertificates = [
  removedKind(CertificateSigningRequestKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.19', removed: '1.22' },
    setDefaults,
    // k8s 1.20.2 pkg/apis/certificates/validation/validation.go:getValidationOptions
    tolerates: ({ field, type, message }) =>
      (field === 'spec.signerName' && message.includes('the legacy signerName')) ||
      (field.startsWith('spec.usages[') && type !== 'FieldValueRequired'),
  }),
];
