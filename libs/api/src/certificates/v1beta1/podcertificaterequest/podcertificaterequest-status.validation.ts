import { X509Certificate } from 'node:crypto';
import type { FieldError } from '@orrery/apimachinery';
import {
  FieldPath,
  byteLength,
  invalid,
  invalidOmitted,
  notSupported,
  required,
  tooLong,
} from '@orrery/apimachinery';
import type {
  PodCertificateRequest,
  PodCertificateRequestStatus,
} from '../../../gen/types/certificates.v1beta1.js';
import type { KindContext } from '../../../kind.js';
import { validateConditions } from '../../../meta/conditions.js';
import { when } from '../../../meta/findings.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { pemBlocks } from '../../../meta/pem.js';
import { HOUR, SPEC, STATUS } from './paths.js';
import { subjectOf } from './subject-key.js';

export const OUTCOMES = ['Issued', 'Denied', 'Failed'] as const;
type Outcome = (typeof OUTCOMES)[number];

const CHAIN = STATUS.child('certificateChain');
const NOT_BEFORE = STATUS.child('notBefore');
const NOT_AFTER = STATUS.child('notAfter');
const REFRESH = STATUS.child('beginRefreshAt');
const MAX_CHAIN = 100 * 1024;
const MINUTE_MS = 60_000;
const EMAIL = /^(?:[^<>]*<[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/;
const ONLY_CERTIFICATES = 'issued certificate chain must consist entirely of CERTFICATE PEM blocks';

/** How a request was answered; undefined = it was not. */
export const outcomeOf = ({ status }: PodCertificateRequest): Outcome | undefined =>
  OUTCOMES.find((outcome) =>
    list(status?.conditions).some(({ type, status: held }) => type === outcome && held === 'True'),
  );

const isOutcome = (type: string): boolean => (OUTCOMES as readonly string[]).includes(type);

/** Each condition is an answer, it holds, and it is the only one. */
function validateOutcomes(status: PodCertificateRequestStatus | undefined): FieldError[] {
  let known = 0;
  return eachOf(status?.conditions, ({ type, status: held }, i) => {
    // As upstream joins the index to its path.
    const at = FieldPath.of('status', 'conditions', `[${i}]`);
    if (!isOutcome(type)) return [notSupported(at.child('type'), type, OUTCOMES, 'as given')];
    known += 1;
    const once = 'There may be at most one condition with type "Issued", "Denied", or "Failed"';
    return [
      ...when(known > 1, invalid(at.child('type'), type, once)),
      ...when(held !== 'True', notSupported(at.child('status'), held, ['True'])),
    ];
  });
}

const namesOf = (certificate: X509Certificate, kind: 'DNS' | 'email'): string[] =>
  (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith(`${kind}:`))
    .map((name) => name.slice(kind.length + 1));

function validateNames(leaf: X509Certificate): FieldError[] {
  const dns = namesOf(leaf, 'DNS').flatMap((name) => [
    ...when(name === '', invalid(CHAIN, name, 'leaf certificate should not contain empty DNSName')),
    ...when(
      name.includes('..'),
      invalid(CHAIN, name, "leaf certificate's DNSName should not contain '..'"),
    ),
    ...when(
      name.startsWith('.') || name.endsWith('.'),
      invalid(CHAIN, name, "leaf certificate's DNSName should not start or end with '.'"),
    ),
  ]);
  const emails = namesOf(leaf, 'email')
    .filter((address) => !EMAIL.test(address))
    .map((address) =>
      invalid(CHAIN, address, 'leaf certificate should not contain invalid EmailAddress'),
    );
  return [...dns, ...emails];
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** The first certificate of a chain, or what is wrong with it. */
function leafOf(chain: string): X509Certificate | FieldError {
  const [first] = pemBlocks(chain);
  if (!first)
    return invalid(CHAIN, chain, 'issued certificate chain must contain at least one certificate');
  if (first.type !== 'CERTIFICATE') return invalid(CHAIN, chain, ONLY_CERTIFICATES);
  return (
    parse(first.text) ?? invalid(CHAIN, chain, 'leaf certificate does not parse as valid X.509')
  );
}

function validateRest(chain: string): FieldError[] {
  for (const { type, text } of pemBlocks(chain).slice(1)) {
    if (type !== 'CERTIFICATE') return [invalid(CHAIN, chain, ONLY_CERTIFICATES)];
    if (!parse(text))
      return [invalid(CHAIN, chain, 'intermediate certificate does not parse as valid X.509')];
  }
  return [];
}

const missingTimes = (status: PodCertificateRequestStatus): FieldError[] =>
  (
    [
      [NOT_BEFORE, status.notBefore, 'consistent with the issued certificate'],
      [NOT_AFTER, status.notAfter, 'consistent with the issued certificate'],
      [REFRESH, status.beginRefreshAt, 'in the range [notbefore+10min, notafter-10min]'],
    ] as const
  ).flatMap(([path, time, what]) => (time ? [] : [required(path, `must be present and ${what}`)]));

interface Times {
  readonly status: PodCertificateRequestStatus;
  readonly leaf: X509Certificate;
  readonly now: number;
  readonly maxSeconds: number;
}

/** The first thing wrong with the times of a status beside those of its certificate. */
function validateTimes({ status, leaf, now, maxSeconds }: Times): FieldError[] {
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const [notBefore, notAfter, refresh] = [
    status.notBefore,
    status.notAfter,
    status.beginRefreshAt,
  ].map((time) => Date.parse(time ?? '')) as [number, number, number];
  const lifetime = to - from;
  const rules: readonly (readonly [boolean, FieldPath, unknown, string])[] = [
    [
      notBefore === from,
      NOT_BEFORE,
      status.notBefore,
      'must be set to the NotBefore time encoded in the leaf certificate',
    ],
    [
      Math.abs(notBefore - now) < 5 * MINUTE_MS,
      NOT_BEFORE,
      status.notBefore,
      "must be set to within 5 minutes of kube-apiserver's current time",
    ],
    [
      notAfter === to,
      NOT_AFTER,
      status.notAfter,
      'must be set to the NotAfter time encoded in the leaf certificate',
    ],
    [
      lifetime >= HOUR * 1000,
      CHAIN,
      // Go prints a duration in nanoseconds here.
      lifetime * 1e6,
      'leaf certificate lifetime must be >= 1 hour',
    ],
    [
      lifetime <= maxSeconds * 1000,
      CHAIN,
      lifetime * 1e6,
      `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${maxSeconds})`,
    ],
    [
      refresh >= notBefore + 10 * MINUTE_MS,
      REFRESH,
      status.beginRefreshAt,
      'must be at least 10 minutes after status.notBefore',
    ],
    [
      refresh <= notAfter - 10 * MINUTE_MS,
      REFRESH,
      status.beginRefreshAt,
      'must be at least 10 minutes before status.notAfter',
    ],
  ];
  const broken = rules.find(([holds]) => !holds);
  return broken ? [invalid(broken[1], broken[2], broken[3])] : [];
}

/** What was issued: to the key that was asked for, for a time that was allowed. */
function validateIssued(
  { status = {} }: PodCertificateRequest,
  { spec }: PodCertificateRequest,
  now: number,
): FieldError[] {
  const chain = status.certificateChain ?? '';
  if (byteLength(chain) > MAX_CHAIN) return [tooLong(CHAIN, MAX_CHAIN)];
  const leaf = leafOf(chain);
  if (!(leaf instanceof X509Certificate)) return [leaf];
  const names = validateNames(leaf);
  const key = subjectOf(spec);
  if (!key) {
    const [path, shown] = [SPEC.child('pkixPublicKey'), spec.pkixPublicKey ?? ''];
    return [...names, invalid(path, shown, 'must be a valid PKIX-serialized public key')];
  }
  if (!key.equals(leaf.publicKey)) {
    const text = 'leaf certificate was not issued to the requested public key';
    return [...names, invalid(CHAIN, chain, text)];
  }
  const faults = [...names, ...missingTimes(status)];
  if (faults.length > 0) return faults;
  const maxSeconds = spec.maxExpirationSeconds ?? 0;
  const times = validateTimes({ status, leaf, now, maxSeconds });
  return times.length > 0 ? times : validateRest(chain);
}

const sameStatus = (
  a: PodCertificateRequestStatus | undefined,
  b: PodCertificateRequestStatus | undefined,
): boolean => isDeepEqual(a ?? {}, b ?? {});

/**
 * A request is answered once, with one of three conditions; only what was issued says more
 * (k8s pkg/apis/certificates/validation/validation.go:ValidatePodCertificateRequestStatusUpdate).
 */
export function validateAnswer(
  request: PodCertificateRequest,
  old: PodCertificateRequest,
  { now }: KindContext,
): FieldError[] {
  const { status } = request;
  const faults = [
    ...validateOutcomes(status),
    ...validateConditions(status?.conditions, STATUS.child('conditions')),
  ];
  if (faults.length > 0) return faults;
  const refuse = (text: string): FieldError[] => [invalidOmitted(STATUS, text)];
  if (outcomeOf(old))
    return sameStatus(status, old.status)
      ? []
      : refuse('immutable after PodCertificateRequest is issued, denied, or failed');
  switch (outcomeOf(request)) {
    case 'Issued':
      return validateIssued(request, old, Date.parse(now));
    case 'Denied':
    case 'Failed':
      return Object.keys(status ?? {}).every((field) => field === 'conditions')
        ? []
        : refuse(
            'non-condition status fields must be empty when denying or failing the PodCertificateRequest',
          );
    case undefined:
      return sameStatus(status, old.status)
        ? []
        : refuse('status is immutable unless transitioning to "Issued", "Denied", or "Failed"');
  }
}
