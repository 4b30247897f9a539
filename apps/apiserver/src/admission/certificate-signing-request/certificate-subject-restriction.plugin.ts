import type { CertificateSigningRequest } from '@orrery/api';
import { readSigningRequest } from '@orrery/pki';
import type { SigningRequest } from '@orrery/pki';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { forbiddenBy } from '../forbidden.js';
import { isCsr } from './signer-permission.js';

const SIGNER = 'kubernetes.io/kube-apiserver-client';

/** Nobody becomes an administrator by a certificate (k8s plugin/pkg/admission/certificates/subjectrestriction). */
export class CertificateSubjectRestriction implements AdmissionPlugin {
  readonly name = 'CertificateSubjectRestriction';

  handles(operation: Operation): boolean {
    return operation === 'CREATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    if (!isCsr(attributes) || attributes.subresource !== '') return;
    const { spec } = attributes.object as CertificateSigningRequest;
    if (spec.signerName !== SIGNER) return;
    const { organizations } = this.#read(attributes, spec.request).subject;
    if (organizations.includes('system:masters'))
      throw forbiddenBy(
        attributes,
        `use of ${SIGNER} signer with system:masters group is not allowed`,
      );
  }

  #read(attributes: AdmissionAttributes, request: unknown): SigningRequest {
    try {
      return readSigningRequest(Buffer.from(String(request), 'base64').toString());
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw forbiddenBy(attributes, `failed to parse CSR: ${why}`);
    }
  }
}
