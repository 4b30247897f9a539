import type { FieldError } from '@orrery/apimachinery';
import {
  FieldPath,
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
} from '@orrery/apimachinery';
import { X509Certificate } from 'node:crypto';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../../../types.js';
import { duplicates, given, when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { jsonDiff } from '../../../meta/json-diff.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { signerName } from '../../../meta/names.js';
import { pemBlocks } from '../../../meta/pem.js';
import { requestFault } from './request-signature.js';

type Request = CertificateSigningRequest;

const SPEC = FieldPath.of('spec');
const CONDITIONS = FieldPath.of('status', 'conditions');
const CERTIFICATE = FieldPath.of('status', 'certificate');
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const MIN_SECONDS = 600;
const EXCLUSIVE = 'Approved and Denied conditions are mutually exclusive';
/** Conditions that only /approval may add. */
export const DECISIONS = ['Approved', 'Denied'];
const LASTING = [...DECISIONS, 'Failed'];
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

/** k8s pkg/apis/certificates/validation/validation.go:validateCertificateSigningRequest, of the spec. */
export function validateRequestSpec({ spec }: Request): FieldError[] {
  const pem = Buffer.from(String(spec?.request ?? ''), 'base64').toString();
  const fault = requestFault(pem);
  const usages = SPEC.child('usages');
  const signer = SPEC.child('signerName');
  return [
    ...(fault ? [invalid(SPEC.child('request'), spec?.request ?? '', fault)] : []),
    ...when(list(spec?.usages).length === 0, required(usages)),
    ...eachOf(spec?.usages, (usage, i) =>
      when(!USAGES.includes(usage), notSupported(usages.index(i), usage, USAGES)),
    ),
    ...duplicates(
      spec?.usages,
      (usage) => usage,
      (i) => usages.index(i),
    ),
    ...(spec?.signerName === LEGACY_SIGNER
      ? [
          invalid(
            signer,
            LEGACY_SIGNER,
            'the legacy signerName is not allowed via this API version',
          ),
        ]
      : signerName(spec?.signerName, signer)),
    ...given(spec?.expirationSeconds, (seconds) =>
      when(
        seconds < MIN_SECONDS,
        invalid(
          SPEC.child('expirationSeconds'),
          seconds,
          'may not specify a duration less than 600 seconds (10 minutes)',
        ),
      ),
    ),
  ];
}

export const conditionsOf = (
  { status }: Request,
  type: string,
): CertificateSigningRequestCondition[] =>
  list(status?.conditions).filter((condition) => condition.type === type);

const typesOf = ({ status }: Request): string[] =>
  list(status?.conditions).map(({ type }) => String(type ?? ''));

const hasTwice = (types: readonly string[]): boolean => new Set(types).size < types.length;

/**
 * k8s pkg/apis/certificates/validation/validation.go:validateConditions. What a stored request has already (both
 * decisions, a type twice or none) is let be (allowBothApprovedAndDenied and the like).
 */
function validateConditions(request: Request, old: Request): FieldError[] {
  const before = typesOf(old);
  const mayBeBoth = DECISIONS.every((type) => before.includes(type));
  const mayRepeat = hasTwice(before);
  const mayLackType = before.includes('');
  const seen = new Set<string>();
  return eachOf(request.status?.conditions, (condition, i) => {
    const [type, status] = [condition.type, condition.status].map((text) => String(text ?? '')) as [
      string,
      string,
    ];
    const at = CONDITIONS.index(i);
    const allowed = LASTING.includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    const [opposite = ''] = DECISIONS.includes(type) ? DECISIONS.filter((one) => one !== type) : [];
    const findings = [
      ...when(type === '' && !mayLackType, required(at.child('type'))),
      ...(status === ''
        ? [required(at.child('status'))]
        : when(!allowed.includes(status), notSupported(at.child('status'), status, allowed))),
      ...when(seen.has(opposite) && !mayBeBoth, invalid(CONDITIONS, type, EXCLUSIVE)),
      ...when(seen.has(type) && !mayRepeat, duplicate(at.child('type'), type)),
    ];
    seen.add(type);
    return findings;
  });
}

/** What is wrong with issued certificates in PEM (k8s pkg/apis/certificates/validation/validation.go:validateCertificate). */
function certificateFault(base64: string): string | undefined {
  const blocks = pemBlocks(Buffer.from(base64, 'base64').toString());
  for (const { type, text, hasHeaders } of blocks) {
    if (type !== 'CERTIFICATE')
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (hasHeaders) return 'no PEM block headers are permitted';
    try {
      void new X509Certificate(text).serialNumber;
    } catch {
      return 'x509: malformed certificate';
    }
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

function validateCertificate(now: string, before: string): FieldError[] {
  if (now === before) return [];
  // What was stored before there were rules may be replaced by its like.
  const isJudged = now !== '' && (before === '' || certificateFault(before) === undefined);
  const fault = isJudged ? certificateFault(now) : undefined;
  return [
    ...(fault ? [invalid(CERTIFICATE, '<certificate data>', fault)] : []),
    ...when(
      before !== '',
      forbidden(CERTIFICATE, 'updates may not modify existing certificate content'),
    ),
  ];
}

const shownConditions = (conditions: readonly object[]): unknown =>
  conditions.map((one) => internalForm(one, 'certificates/v1.CertificateSigningRequestCondition'));

/** What an update may do to conditions: those of a decision stay, and only /approval adds them. */
function validateDecision(request: Request, old: Request, mayDecide: boolean): FieldError[] {
  const refuse = (verb: string, type: string, diff = ''): FieldError =>
    forbidden(CONDITIONS, `updates may not ${verb} a condition of type "${type}"${diff}`);
  return LASTING.flatMap((type) => {
    const now = conditionsOf(request, type);
    const before = conditionsOf(old, type);
    if (now.length < before.length) return [refuse('remove', type)];
    if (mayDecide || !DECISIONS.includes(type)) return [];
    if (now.length > before.length) return [refuse('add', type)];
    return when(
      !isDeepEqual(now, before),
      refuse('modify', type, `\n${jsonDiff(before, now, shownConditions)}`),
    );
  });
}

/** Findings of an update of the status (`mayDecide` false) or of the approval. */
export const validateRequestStatus = (
  request: Request,
  old: Request,
  mayDecide: boolean,
): FieldError[] => [
  ...validateConditions(request, old),
  ...validateDecision(request, old, mayDecide),
  ...validateCertificate(request.status?.certificate ?? '', old.status?.certificate ?? ''),
];
