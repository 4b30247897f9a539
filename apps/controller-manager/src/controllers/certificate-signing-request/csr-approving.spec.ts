import { describe, expect, it } from '@jest/globals';
import type { CertificateSigningRequest } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { SystemClock } from '@orrery/component';
import type { Lister } from '@orrery/informers';
import { createSigningRequest } from '@orrery/pki';
import { CsrApprovingReconciler } from './csr-approving.reconciler.js';
import { KUBELET_CLIENT } from './csr.decide.js';

const KEY = { name: 'csr' };

async function requestOf(commonName: string): Promise<CertificateSigningRequest> {
  const { csrPem } = await createSigningRequest({ commonName, organizations: ['system:nodes'] });
  return {
    metadata: KEY,
    spec: {
      request: Buffer.from(csrPem).toString('base64'),
      signerName: KUBELET_CLIENT,
      username: 'system:bootstrap:abc',
      usages: ['client auth', 'digital signature'],
    },
  };
}

describe(CsrApprovingReconciler.name, () => {
  it('tries a request again that may not be made yet, and approves it then', async () => {
    const csr = await requestOf('system:node:k1');
    const approved: unknown[] = [];
    let allowed = false;
    const client = {
      resource: () => ({
        create: () => Promise.resolve({ status: { allowed } }),
        updateSubresource: (object: CertificateSigningRequest, name: string) => {
          approved.push([name, object.status?.conditions?.[0]?.type]);
          return Promise.resolve(object);
        },
      }),
    } as unknown as KubeClient;
    const requests = { get: () => csr } as unknown as Lister<CertificateSigningRequest>;
    const reconciler = new CsrApprovingReconciler(requests, client, new SystemClock());
    await expect(reconciler.reconcile(KEY)).rejects.toThrow(
      'recognized csr "csr" but subject access review was not approved',
    );
    allowed = true;
    await reconciler.reconcile(KEY);
    expect(approved).toEqual([['approval', 'Approved']]);
  });

  it('leaves a request alone that is not of a kubelet', async () => {
    const csr = await requestOf('jane');
    const requests = { get: () => csr } as unknown as Lister<CertificateSigningRequest>;
    const client = {} as unknown as KubeClient;
    const reconciler = new CsrApprovingReconciler(requests, client, new SystemClock());
    await expect(reconciler.reconcile(KEY)).resolves.toBeDefined();
  });
});
