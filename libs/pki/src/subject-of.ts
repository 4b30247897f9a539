import { X509Certificate } from 'node:crypto';
import { childOf } from './der.js';
import { decodeName } from './name.js';
import type { Subject } from './name.js';

/** CN and all O of a certificate in DER; node's own `subject` text loses repeated attributes. */
export function subjectOf(certificate: X509Certificate | Buffer): Required<Subject> {
  const der = certificate instanceof X509Certificate ? certificate.raw : certificate;
  const tbs = childOf(childOf(der, 0).content, 0);
  return decodeName(childOf(tbs.content, 5));
}
