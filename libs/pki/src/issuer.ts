import type { X509Certificate } from 'node:crypto';
import type { Name } from '@peculiar/x509';
import type { X509Library } from './x509-library.js';

/** What certificates of a CA say about it. */
export interface Issuer {
  readonly name: Name;
  /** The identifier in the CA's own certificate, which need not be the hash of its key (RFC 5280 4.2.1.1). */
  readonly keyId: string;
}

/** Reading takes a third of the time of issuing, and a CA issues many. */
const issuers = new WeakMap<X509Certificate, Promise<Issuer>>();

async function readIssuer(x509: X509Library, ca: X509Certificate): Promise<Issuer> {
  const certificate = new x509.X509Certificate(ca.raw);
  const shown = certificate.getExtension(x509.SubjectKeyIdentifierExtension);
  const { keyId } =
    shown ?? (await x509.SubjectKeyIdentifierExtension.create(certificate.publicKey));
  return { name: certificate.subjectName, keyId };
}

/** The issuer that `ca` is to what it signs. */
export function issuerOf(x509: X509Library, ca: X509Certificate): Promise<Issuer> {
  const issuer = issuers.get(ca) ?? readIssuer(x509, ca);
  issuers.set(ca, issuer);
  return issuer;
}
