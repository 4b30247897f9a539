import { readFileSync } from 'node:fs';
import type { ObjectKey } from '@orrery/apimachinery';
import type { CertificateSigningRequest } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { ConfigError, toTime } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import { parseCa, signPublicKey } from '@orrery/pki';
import type { CertificateAuthority, SigningRequest } from '@orrery/pki';
import type { SigningFiles } from '../../config/subsystem-options.js';
import type { ControllerEntry } from '../../controller-entry.js';
import { readRequest } from './csr-approving.reconciler.js';
import { hasCondition, lifetimeMs, signerFault } from './csr.decide.js';
import { usagesOf } from './usages.js';

const NAME = 'certificatesigningrequest-signing-controller';
const DAY_MS = 86_400_000;

/** By signer. */
export type Authorities = Readonly<Record<string, CertificateAuthority>>;

/** Signs approved requests (k8s pkg/controller/certificates/signer). */
export class CsrSigningReconciler implements Reconciler {
  constructor(
    private readonly requests: Lister<CertificateSigningRequest>,
    private readonly client: ResourceClient<CertificateSigningRequest>,
    private readonly authorities: Authorities,
    private readonly durationMs: number,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const csr = this.requests.get(key);
    const authority = csr && this.authorities[csr.spec.signerName];
    if (!csr || !authority || csr.status?.certificate) return done;
    if (!hasCondition(csr, 'Approved') || hasCondition(csr, 'Failed')) return done;
    const asked = await readRequest(csr);
    const fault = signerFault(csr.spec.signerName, asked, csr.spec.usages ?? []);
    if (fault) await this.#fail(csr, fault);
    else await this.#sign(csr, asked, authority);
    return done;
  }

  async #fail(csr: CertificateSigningRequest, message: string): Promise<void> {
    const now = toTime(this.clock.now());
    const failed = {
      type: 'Failed',
      status: 'True',
      reason: 'SignerValidationFailure',
      message,
      lastUpdateTime: now,
      lastTransitionTime: now,
    };
    const conditions = [...(csr.status?.conditions ?? []), failed];
    await this.client.updateStatus({ ...csr, status: { ...csr.status, conditions } });
  }

  async #sign(
    csr: CertificateSigningRequest,
    { subject, dns, ips, emails, uris, publicKey }: SigningRequest,
    authority: CertificateAuthority,
  ): Promise<void> {
    const pem = await signPublicKey(authority, {
      ...subject,
      sans: { dns, ips, emails, uris },
      ...usagesOf(csr),
      days: lifetimeMs(csr, this.durationMs) / DAY_MS,
      now: this.clock.now(),
      publicKey,
    });
    const certificate = Buffer.from(pem.endsWith('\n') ? pem : `${pem}\n`).toString('base64');
    await this.client.updateStatus({ ...csr, status: { ...csr.status, certificate } });
  }
}

function readAuthority(signer: string, { cert, key }: SigningFiles): CertificateAuthority {
  try {
    return parseCa({ certPem: readFileSync(cert, 'utf8'), keyPem: readFileSync(key, 'utf8') });
  } catch (cause) {
    throw new ConfigError(`the CA of signer ${signer} cannot be used: ${String(cause)}`, { cause });
  }
}

export const csrSigningController: ControllerEntry = {
  name: NAME,
  enabled: ({ signing }) => Object.keys(signing.files).length > 0,
  definition: () => defineController(NAME).for(resources.certificatesigningrequests).build(),
  create({ client, informers, clock, options }) {
    const { files, durationMs } = options.signing;
    const authorities = Object.entries(files).map(
      ([signer, pair]) => [signer, readAuthority(signer, pair)] as const,
    );
    return new CsrSigningReconciler(
      informers.informer(resources.certificatesigningrequests).lister,
      client.resource(resources.certificatesigningrequests),
      Object.fromEntries(authorities),
      durationMs,
      clock,
    );
  },
};
