import type { CertificateSigningRequest } from '@orrery/api';
import { parseSigningRequest } from '@orrery/pki';
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
    const refuse = (why: string): never => {
      throw forbiddenBy(attributes, why);
    };
    const pem = Buffer.from(String(spec.request), 'base64').toString();
    const parsed = await parseSigningRequest(pem).catch((error: unknown) =>
      refuse(`failed to parse CSR: ${error instanceof Error ? error.message : String(error)}`),
    );
    if (parsed.subject.organizations.includes('system:masters'))
      refuse(`use of ${SIGNER} signer with system:masters group is not allowed`);
  }
}
