import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCa, issueCertificate, writePrivate } from '@orrery/pki';

export interface ServingFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const isGood = ({ certFile, keyFile }: ServingFiles, host: string, now: number): boolean => {
  if (!existsSync(certFile) || !existsSync(keyFile)) return false;
  const certificate = new X509Certificate(readFileSync(certFile));
  return Date.parse(certificate.validTo) > now && certificate.checkHost(host) !== undefined;
};

/**
 * A certificate for the server of a kubelet that was given none, of an authority that is forgotten at once
 * (k8s cmd/kubelet/app/server.go:InitializeTLS): API servers that verify kubelets refuse it.
 */
export async function ensureServingCertificate(
  certDir: string,
  { nodeName, ips, now }: { nodeName: string; ips: readonly string[]; now: number },
): Promise<ServingFiles> {
  const files = { certFile: join(certDir, 'kubelet.crt'), keyFile: join(certDir, 'kubelet.key') };
  if (isGood(files, nodeName, now)) return files;
  const ca = await createCa(`${nodeName}-ca@${Math.floor(now / 1000)}`, now, 365);
  const issued = await issueCertificate(ca, {
    commonName: nodeName,
    usages: ['serverAuth'],
    now,
    sans: { dns: [nodeName], ips },
  });
  writePrivate(files.keyFile, issued.keyPem);
  writePrivate(files.certFile, issued.certPem + ca.certPem);
  return files;
}
