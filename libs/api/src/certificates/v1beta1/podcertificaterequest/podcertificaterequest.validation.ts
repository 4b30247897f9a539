import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { byteLength, invalid, required, tooLong } from '@orrery/apimachinery';
import type {
  PodCertificateRequest,
  PodCertificateRequestSpec,
} from '../../../gen/types/certificates.v1beta1.js';
import { when } from '../../../meta/findings.js';
import { check, dnsSubdomain, qualifiedName, signerName } from '../../../meta/names.js';
import { HOUR, SPEC } from './paths.js';
import { validateSubject } from './subject-key.js';

const DAY = 24 * HOUR;
const MAX_DAYS = 91;
const MAX_UID = 128;
const MAX_ANNOTATIONS = 256 * 1024;
const KUBERNETES_SIGNER = /^(?:[^/]*\.)?kubernetes\.io\//;

/** k8s pkg/apis/core/validation/validation.go:ValidateUserAnnotations. */
function validateUserAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
): FieldError[] {
  const entries = Object.entries(annotations ?? {});
  const size = entries.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
  return [
    ...entries.flatMap(([given]) => {
      const key = given.toLowerCase();
      if (key === '') return [required(path)];
      const faults = check(qualifiedName, key, path);
      if (faults.length > 0 || key.includes('/')) return faults;
      return [invalid(path, key, 'must be a domain-prefixed key (such as "acme.io/foo")')];
    }),
    ...when(size > MAX_ANNOTATIONS, tooLong(path, MAX_ANNOTATIONS)),
  ];
}

function validateUid(uid: string | undefined, path: FieldPath): FieldError[] {
  const text = String(uid ?? '');
  return [
    ...when(text === '', invalid(path, text, 'must not be empty')),
    ...when(byteLength(text) > MAX_UID, tooLong(path, MAX_UID)),
  ];
}

/** Signers of Kubernetes itself issue for a day at most. */
function validateLifetime({
  signerName: signer,
  maxExpirationSeconds: seconds,
}: PodCertificateRequestSpec): FieldError[] {
  const path = SPEC.child('maxExpirationSeconds');
  if (seconds === undefined) return [required(path, 'must be set')];
  const most = KUBERNETES_SIGNER.test(signer) ? DAY : MAX_DAYS * DAY;
  const text = `must be in the range [${HOUR}, ${most}]`;
  return when(seconds < HOUR || seconds > most, invalid(path, seconds, text));
}

/** k8s pkg/apis/certificates/validation/validation.go:ValidatePodCertificateRequestCreate. */
export function validateRequest({ spec }: PodCertificateRequest): FieldError[] {
  const given = spec ?? ({} as PodCertificateRequestSpec);
  return [
    ...signerName(given.signerName, SPEC.child('signerName')),
    ...validateUserAnnotations(
      given.unverifiedUserAnnotations,
      SPEC.child('unverifiedUserAnnotations'),
    ),
    ...(['pod', 'serviceAccount', 'node'] as const).flatMap((one) => [
      ...check(dnsSubdomain, given[`${one}Name`], SPEC.child(`${one}Name`)),
      ...validateUid(given[`${one}UID`], SPEC.child(`${one}UID`)),
    ]),
    ...validateLifetime(given),
    ...(given.maxExpirationSeconds === undefined ? [] : validateSubject(given)),
  ];
}
