import { X509Certificate } from 'node:crypto';
import type { Name } from '@peculiar/x509';
import { oid, sequence, set, text } from './asn1/der.js';
import { readOrRefuse } from './pki-error.js';

/** The parts of a distinguished name that Kubernetes reads: CN is the user, O are the groups. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

/** X.520. */
const [COMMON_NAME, ORGANIZATION] = ['2.5.4.3', '2.5.4.10'] as const;

/**
 * The name in DER: the organizations in the order given, each an element of its own, since a set has no order; then the common
 * name.
 */
export function toName({ commonName, organizations = [] }: Subject): Buffer {
  const part = (type: string, value: string): Buffer => set(sequence(oid(type), text(value)));
  return sequence(
    ...organizations.map((organization) => part(ORGANIZATION, organization)),
    part(COMMON_NAME, commonName),
  );
}

/** CN and every O of a name; the last CN counts, as in Go's pkix.Name. */
export function toSubject(name: Name): Required<Subject> {
  return { commonName: name.getField('CN').at(-1) ?? '', organizations: name.getField('O') };
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
