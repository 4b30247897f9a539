import type { X509Certificate } from 'node:crypto';
import { USAGE_OIDS } from './extensions.js';

/** As many links as anybody uses; a chain that is longer is not followed. */
const MAX_LINKS = 8;

const isInTime = ({ validFrom, validTo }: X509Certificate, now: number): boolean =>
  Date.parse(validFrom) <= now && now <= Date.parse(validTo);

/** A certificate that names no use serves for any (RFC 5280 4.2.1.12). */
const mayBeClient = (certificate: X509Certificate): boolean => {
  const usages = certificate.keyUsage as readonly string[] | undefined;
  return (
    usages === undefined ||
    usages.includes(USAGE_OIDS.clientAuth) ||
    usages.includes(USAGE_OIDS.any)
  );
};

const hasSigned = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

/**
 * Whether a certificate that a peer has shown is that of a client: a root issued it, or an intermediate that the peer has
 * sent along, or it is itself among the roots; each link is in its time, `now` in milliseconds, and may be used by clients
 * (Go crypto/x509:Certificate.Verify with ExtKeyUsageClientAuth, which upstream asks). Limits on names are not judged.
 */
export function isClientCertificateOf(
  shown: X509Certificate,
  roots: readonly X509Certificate[],
  now: number,
): boolean {
  const trusted = roots.filter((root) => isInTime(root, now));
  let link: X509Certificate | undefined = shown;
  for (let i = 0; i < MAX_LINKS; i++) {
    const certificate: X509Certificate = link;
    if (!isInTime(certificate, now) || !mayBeClient(certificate)) return false;
    if (trusted.some((root) => root.raw.equals(certificate.raw) || hasSigned(root, certificate)))
      return true;
    link = certificate.issuerCertificate;
    if (!link?.ca || !hasSigned(link, certificate)) return false;
  }
  return false;
}
