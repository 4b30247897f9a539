import type { X509Certificate } from 'node:crypto';
import { elements, isWrapped } from './asn1/der.js';
import { keyIdentifier, shownKeyIdentifier } from './extensions.js';
import { toSpki } from './keys.js';
import { PkiError } from './pki-error.js';

/** What certificates of a CA say about it. */
export interface Issuer {
  /** In DER, as the CA's own certificate spells it. */
  readonly name: Buffer;
  /** The identifier in the CA's own certificate, which need not be the hash of its key (RFC 5280 4.2.1.1). */
  readonly keyId: Buffer;
}

/** A CA issues many. */
const issuers = new WeakMap<X509Certificate, Issuer>();

/** Number of the wrapped elements of a certificate. */
const [VERSION, EXTENSIONS] = [0, 3];
/** After the version: serial number, algorithm, issuer, validity, subject. */
const SUBJECT = 4;

function readIssuer(ca: X509Certificate): Issuer {
  const [certificate] = elements(ca.raw);
  const [toBeSigned] = certificate ? elements(certificate.content) : [];
  const parts = toBeSigned ? elements(toBeSigned.content) : [];
  const fields = parts.filter((part) => !isWrapped(part, VERSION));
  const subject = fields[SUBJECT];
  if (!subject) throw new PkiError('malformed', 'the CA certificate has no subject');
  const extensions = fields.find((part) => isWrapped(part, EXTENSIONS));
  const shown = extensions && elements(extensions.content)[0];
  const keyId = (shown && shownKeyIdentifier(shown.content)) ?? keyIdentifier(toSpki(ca.publicKey));
  return { name: subject.whole, keyId };
}

/** The issuer that `ca` is to what it signs. */
export function issuerOf(ca: X509Certificate): Issuer {
  const issuer = issuers.get(ca) ?? readIssuer(ca);
  issuers.set(ca, issuer);
  return issuer;
}
