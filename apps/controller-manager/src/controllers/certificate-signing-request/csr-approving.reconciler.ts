import type { ObjectKey } from '@orrery/apimachinery';
import type { CertificateSigningRequest } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';
import { TerminalError, defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import { parseSigningRequest } from '@orrery/pki';
import type { ControllerEntry } from '../../controller-entry.js';
import { KUBELET_CLIENT, hasCondition, kubeletClientFault } from './csr.decide.js';

const NAME = 'certificatesigningrequest-approving-controller';

/** What a kubelet may ask for, by the subresource whose creation it needs. */
const RECOGNIZERS = [
  {
    subresource: 'selfnodeclient',
    self: true,
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
  },
  {
    subresource: 'nodeclient',
    self: false,
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
  },
] as const;

/** Reads the request of a CSR; one that cannot be read is never tried again. */
export async function readRequest({
  metadata,
  spec,
}: CertificateSigningRequest): ReturnType<typeof parseSigningRequest> {
  try {
    return await parseSigningRequest(Buffer.from(spec.request, 'base64').toString('utf8'));
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TerminalError(`unable to parse csr "${metadata.name}": ${text}`, { cause });
  }
}

/** Approves client certificates of kubelets that may ask for them (k8s pkg/controller/certificates/approver). */
export class CsrApprovingReconciler implements Reconciler {
  constructor(
    private readonly requests: Lister<CertificateSigningRequest>,
    private readonly client: KubeClient,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const csr = this.requests.get(key);
    if (!csr || csr.status?.certificate || csr.spec.signerName !== KUBELET_CLIENT) return done;
    if (hasCondition(csr, 'Approved') || hasCondition(csr, 'Denied')) return done;
    const asked = await readRequest(csr);
    if (kubeletClientFault(asked, csr.spec.usages ?? [])) return done;
    for (const { subresource, self, message } of RECOGNIZERS) {
      if (self && csr.spec.username !== asked.subject.commonName) continue;
      if (!(await this.#isAllowed(csr, subresource))) continue;
      await this.#approve(csr, message);
      return done;
    }
    // Tried again, since what is allowed may change.
    throw new Error(`recognized csr "${key.name}" but subject access review was not approved`);
  }

  async #isAllowed({ spec }: CertificateSigningRequest, subresource: string): Promise<boolean> {
    const { username, uid, groups, extra } = spec;
    const review = await this.client.resource(resources.subjectaccessreviews).create({
      metadata: {},
      spec: {
        ...(username ? { user: username } : {}),
        ...(uid ? { uid } : {}),
        ...(groups ? { groups } : {}),
        ...(extra ? { extra } : {}),
        resourceAttributes: {
          group: 'certificates.k8s.io',
          resource: 'certificatesigningrequests',
          verb: 'create',
          subresource,
        },
      },
    });
    return review.status?.allowed === true;
  }

  async #approve(csr: CertificateSigningRequest, message: string): Promise<void> {
    const now = toTime(this.clock.now());
    const approved = {
      type: 'Approved',
      status: 'True',
      reason: 'AutoApproved',
      message,
      lastUpdateTime: now,
      lastTransitionTime: now,
    };
    const conditions = [...(csr.status?.conditions ?? []), approved];
    const wanted = { ...csr, status: { ...csr.status, conditions } };
    await this.client
      .resource(resources.certificatesigningrequests)
      .updateSubresource(wanted, 'approval');
  }
}

export const csrApprovingController: ControllerEntry = {
  name: NAME,
  definition: () => defineController(NAME).for(resources.certificatesigningrequests).build(),
  create: ({ client, informers, clock }) =>
    new CsrApprovingReconciler(
      informers.informer(resources.certificatesigningrequests).lister,
      client,
      clock,
    ),
};
