import type { KubeObject } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { Authorizer } from '../../filters/authorization.js';
import { requireSigner } from './signer-permission.js';

type Bundle = KubeObject & { readonly spec?: { readonly signerName?: string } };

/** Who names a signer in a ClusterTrustBundle must be allowed to `attest` for it (k8s plugin/pkg/admission/certificates/ctbattest). */
export class ClusterTrustBundleAttest implements AdmissionPlugin {
  readonly name = 'ClusterTrustBundleAttest';

  constructor(private readonly authorizer: Authorizer) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const { kind, object } = attributes;
    if (kind.group !== 'certificates.k8s.io' || kind.plural !== 'clustertrustbundles') return;
    const signer = (object as Bundle | undefined)?.spec?.signerName;
    if (signer) await requireSigner(this.authorizer, attributes, 'attest', signer);
  }
}
