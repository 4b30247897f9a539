import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { CertificateSigningRequest } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import { parseCertificates } from '@orrery/pki';
import type { ControllerEntry } from '../../controller-entry.js';
import { cleanUpAt } from './csr.decide.js';

const NAME = 'certificatesigningrequest-cleaner-controller';
/** Timers do not reach further. */
const LONGEST_WAIT_MS = 86_400_000;

/** When the certificate that was signed runs out; undefined when there is none that can be read. */
function expiryOf({ status }: CertificateSigningRequest): number | undefined {
  if (!status?.certificate) return undefined;
  const pem = Buffer.from(status.certificate, 'base64').toString('utf8');
  try {
    const [first] = parseCertificates(pem);
    return first && Date.parse(first.validTo);
  } catch {
    return undefined;
  }
}

/** Deletes requests that are done, denied or forgotten. */
export class CsrCleanerReconciler implements Reconciler {
  constructor(
    private readonly requests: Lister<CertificateSigningRequest>,
    private readonly client: ResourceClient<CertificateSigningRequest>,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const csr = this.requests.get(key);
    if (!csr) return done;
    const wait = cleanUpAt(csr, expiryOf(csr)) - this.clock.now();
    if (wait > 0) return { requeueAfterMs: Math.min(wait, LONGEST_WAIT_MS) };
    const { uid } = csr.metadata;
    try {
      await this.client.delete(key, uid ? { preconditions: { uid } } : {});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  }
}

export const csrCleanerController: ControllerEntry = {
  name: NAME,
  definition: () => defineController(NAME).for(resources.certificatesigningrequests).build(),
  create: ({ client, informers, clock }) =>
    new CsrCleanerReconciler(
      informers.informer(resources.certificatesigningrequests).lister,
      client.resource(resources.certificatesigningrequests),
      clock,
    ),
};
