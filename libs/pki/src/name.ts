import { X509Certificate } from 'node:crypto';
import type { JsonNameParams, Name } from '@peculiar/x509';
import { readOrRefuse } from './pki-error.js';
import type { X509Library } from './x509-library.js';

/** The parts of a distinguished name that Kubernetes reads: CN is the user, O are the groups. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** Objects, because the library reads escapes and quotes into plain texts. */
const value = (text: string): JsonNameParams[number][string][number] =>
  PRINTABLE.test(text) ? { printableString: text } : { utf8String: text };

/** The organizations in the order given, each an element of its own, since a set has no order; then the common name. */
export function toName(x509: X509Library, { commonName, organizations = [] }: Subject): Name {
  const parts = [
    ...organizations.map((organization) => ({ O: [value(organization)] })),
    { CN: [value(commonName)] },
  ];
  return new x509.Name(parts as JsonNameParams);
}

const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** CN and all O of a certificate, in their order; the last CN counts. Throws PkiError for DER that is no certificate. */
export function subjectOf(certificate: X509Certificate | Buffer): Required<Subject> {
  const read =
    certificate instanceof X509Certificate
      ? certificate
      : readOrRefuse('certificate', () => new X509Certificate(certificate));
  const { CN, O } = read.toLegacyObject().subject;
  return { commonName: list(CN).at(-1) ?? '', organizations: [...list(O)] };
}
