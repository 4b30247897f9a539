import type { CertificateSigningRequest } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { Authorizer } from '../../filters/authorization.js';
import { isCsr, requireSigner } from './signer-permission.js';

/** Who approves a request must be allowed to `approve` for its signer (k8s plugin/pkg/admission/certificates/approval). */
export class CertificateApproval implements AdmissionPlugin {
  readonly name = 'CertificateApproval';

  constructor(private readonly authorizer: Authorizer) {}

  handles(operation: Operation): boolean {
    return operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    if (!isCsr(attributes) || attributes.subresource !== 'approval') return;
    const { spec } = attributes.oldObject as CertificateSigningRequest;
    await requireSigner(this.authorizer, attributes, 'approve', spec.signerName);
  }
}
