import type { CertificateSigningRequest } from '@orrery/api';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { Authorizer } from '../../filters/authorization.js';
import { isCsr, requireSigner } from './signer-permission.js';

/** Who writes a certificate or a condition must be allowed to `sign` for the signer (k8s plugin/pkg/admission/certificates/signing). */
export class CertificateSigning implements AdmissionPlugin {
  readonly name = 'CertificateSigning';

  constructor(private readonly authorizer: Authorizer) {}

  handles(operation: Operation): boolean {
    return operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    if (!isCsr(attributes) || attributes.subresource !== 'status') return;
    const old = attributes.oldObject as CertificateSigningRequest;
    const now = attributes.object as CertificateSigningRequest;
    const isSame =
      old.status?.certificate === now.status?.certificate &&
      equalJson(old.status?.conditions ?? [], now.status?.conditions ?? []);
    if (!isSame) await requireSigner(this.authorizer, attributes, 'sign', old.spec.signerName);
  }
}
