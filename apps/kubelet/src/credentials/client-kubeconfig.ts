import { X509Certificate, createHash, createPublicKey } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { resources } from '@orrery/api';
import type { CertificateSigningRequest } from '@orrery/api';
import { isAlreadyExists } from '@orrery/apimachinery';
import { connect, loadKubeconfig } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { ConfigError } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { createSigningRequest, parsePrivateKey, toKubeconfig, writePrivate } from '@orrery/pki';

/** The signer of kubelets' client certificates (k8s staging/src/k8s.io/api/certificates/v1/types.go). */
const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
const USAGES: CertificateSigningRequest['spec']['usages'] = ['digital signature', 'client auth'];
/** A cluster that is starting with its nodes answers in a moment. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 500;
/** As long as upstream waits for its certificate (client-go util/certificate/csr/csr.go:WaitForCertificate). */
const WAIT_MS = 15 * 60_000;

export interface JoinOptions {
  /** Kubeconfig with a bootstrap token. */
  readonly bootstrapKubeconfig: string;
  /** Where the node's own kubeconfig is, or will be. */
  readonly kubeconfig: string;
  /** Folder for the key while its certificate is being asked for. */
  readonly certDir: string;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whether the kubeconfig is there and its certificate still valid (client-go certificate/bootstrap.go:isClientConfigStillValid). */
export function isStillValid(kubeconfig: string, now: number): boolean {
  if (!existsSync(kubeconfig)) return false;
  const { cert } = loadKubeconfig(kubeconfig);
  if (cert === undefined) return true;
  return Date.parse(new X509Certificate(cert).validTo) > now;
}

/** The same for the same key, so that a kubelet which was ended while it waited finds its request again. */
const requestName = (keyPem: string, commonName: string): string => {
  const der = createPublicKey(parsePrivateKey(keyPem).privateKey).export({
    type: 'spki',
    format: 'der',
  });
  const hash = createHash('sha256').update(der).update(commonName).update(USAGES.join());
  return `node-csr-${hash.digest('hex').slice(0, 43)}`;
};

const refusal = (request: CertificateSigningRequest): string | undefined => {
  const condition = request.status?.conditions?.find(
    ({ type }) => type === 'Denied' || type === 'Failed',
  );
  return (
    condition &&
    `certificate signing request ${request.metadata.name} was ${condition.type.toLowerCase()}: ${condition.reason ?? ''} ${condition.message ?? ''}`.trim()
  );
};

/** Follows the request until it has its certificate; undefined when the server ended the watch. */
async function followRequest(
  client: KubeClient,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const requests = client.resource(resources.certificatesigningrequests);
  const query = { fieldSelector: `metadata.name=${name}`, resourceVersion: '0' };
  for await (const event of requests.watch(query, signal)) {
    if (event.type === 'BOOKMARK') continue;
    if (event.type === 'DELETED')
      throw new ConfigError(`certificate signing request ${name} was deleted before it was signed`);
    const refused = refusal(event.object);
    if (refused !== undefined) throw new ConfigError(refused);
    const { certificate } = event.object.status ?? {};
    if (certificate) return Buffer.from(certificate, 'base64').toString('utf8');
  }
  return undefined;
}

/** Asks until an answer comes: the API server may start later than its nodes. */
async function obtainCertificate(
  client: KubeClient,
  keyPem: string,
  { nodeName, clock, logger }: JoinOptions,
  signal: AbortSignal,
): Promise<string> {
  const commonName = `system:node:${nodeName}`;
  const { csrPem } = await createSigningRequest(
    { commonName, organizations: ['system:nodes'] },
    [],
    keyPem,
  );
  const name = requestName(keyPem, commonName);
  const request: CertificateSigningRequest = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(csrPem).toString('base64'),
      signerName: SIGNER,
      usages: USAGES,
    },
  };
  const deadline = clock.monotonic() + WAIT_MS;
  let lastProblem = '';
  let waitMs = FIRST_RETRY_MS;
  for (;;) {
    try {
      await client
        .resource(resources.certificatesigningrequests)
        .create(request, { signal })
        .catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error;
        });
      const certificate = await followRequest(client, name, signal);
      if (certificate !== undefined) return certificate;
    } catch (error) {
      if (error instanceof ConfigError || signal.aborted) throw error;
      if (String(error) !== lastProblem)
        logger.warn('cannot ask for a certificate yet', { error: String(error) });
      lastProblem = String(error);
    }
    if (clock.monotonic() > deadline)
      throw new ConfigError(
        `timed out waiting for the certificate of ${commonName} (certificate signing request ${name}) ${lastProblem}`,
      );
    await clock.sleep(waitMs, signal);
    waitMs = Math.min(waitMs * 1.2, LAST_RETRY_MS);
  }
}

/**
 * Gives the node a kubeconfig of its own: what is there and still valid, else one with a certificate that it asks the
 * cluster for with the bootstrap kubeconfig's token (k8s pkg/kubelet/certificate/bootstrap/bootstrap.go:LoadClientCert).
 * Throws ConfigError when the request is denied, fails or is not answered.
 */
export async function ensureClientKubeconfig(
  options: JoinOptions,
  signal: AbortSignal,
): Promise<void> {
  const { bootstrapKubeconfig, kubeconfig, certDir, nodeName, clock, logger } = options;
  if (isStillValid(kubeconfig, clock.now())) return;
  const bootstrap = loadKubeconfig(bootstrapKubeconfig, { userAgent: 'kubelet' });
  const keyFile = join(certDir, 'kubelet-client.key.tmp');
  const keyPem = existsSync(keyFile)
    ? readFileSync(keyFile, 'utf8')
    : (await createSigningRequest({ commonName: `system:node:${nodeName}` })).keyPem;
  writePrivate(keyFile, keyPem);
  const client = connect(bootstrap);
  try {
    logger.info('asking for a client certificate', { node: nodeName });
    const certPem = await obtainCertificate(client, keyPem, options, signal);
    writePrivate(
      kubeconfig,
      toKubeconfig({
        clusterName: 'kubernetes',
        server: bootstrap.server,
        caPem: bootstrap.ca ?? '',
        userName: `system:node:${nodeName}`,
        credentials: { certPem, keyPem },
      }),
    );
    rmSync(keyFile, { force: true });
    logger.info('received a client certificate', { node: nodeName });
  } finally {
    await client.close();
  }
}
