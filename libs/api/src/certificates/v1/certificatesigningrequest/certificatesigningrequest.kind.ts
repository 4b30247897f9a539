import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { CertificateSigningRequest } from '../../../types.js';
import type { Strategy } from '../../../kind.js';
import { defineKind } from '../../../kind.js';
import { isDeepEqual, list } from '../../../meta/list.js';
import { pathSegment } from '../../../meta/names.js';
import { immutable, validateMetaUpdate } from '../../../meta/object-meta.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { humanDuration } from '../../../table/human-duration.js';

type Request = CertificateSigningRequest;

const SPEC = FieldPath.of('spec');
const MIN_SECONDS = 600;
const PEM = /-----BEGIN CERTIFICATE REQUEST-----/;
/** Conditions that only /approval may add. */
const DECISIONS = ['Approved', 'Denied'];

function validateSigner(name: string | undefined): FieldError[] {
  const path = SPEC.child('signerName');
  if (!name) return [required(path)];
  return /^[^/]+\/.+$/.test(name)
    ? []
    : [
        invalid(
          path,
          name,
          "must be a fully qualified domain and path of the form 'example.com/signer-name'",
        ),
      ];
}

function validateSpec({ spec }: Request): FieldError[] {
  const pem = Buffer.from(String(spec?.request ?? ''), 'base64').toString();
  const seconds = spec?.expirationSeconds;
  return [
    ...(PEM.test(pem)
      ? []
      : [
          invalid(
            SPEC.child('request'),
            spec?.request ?? '',
            'PEM block type must be CERTIFICATE REQUEST',
          ),
        ]),
    ...(list(spec?.usages).length === 0
      ? [required(SPEC.child('usages'), 'usages must be specified')]
      : []),
    ...validateSigner(spec?.signerName),
    ...(typeof seconds === 'number' && seconds < MIN_SECONDS
      ? [
          invalid(
            SPEC.child('expirationSeconds'),
            seconds,
            'may not specify a duration less than 600 seconds (10 minutes)',
          ),
        ]
      : []),
  ];
}

const has = ({ status }: Request, type: string): boolean =>
  list(status?.conditions).some((condition) => condition.type === type);

/** k8s pkg/apis/certificates/validation/validation.go:validateConditions. */
function validateConditions(request: Request, old: Request): FieldError[] {
  const path = FieldPath.of('status', 'conditions');
  const removed = DECISIONS.filter((type) => has(old, type) && !has(request, type));
  return [
    ...(has(request, 'Approved') && has(request, 'Denied')
      ? [invalid(path, 'Denied', 'Approved and Denied conditions are mutually exclusive')]
      : []),
    ...removed.map((type) => ({
      type: 'FieldValueForbidden' as const,
      field: path.toString(),
      message: `Forbidden: updates may not remove a condition of type "${type}"`,
    })),
  ];
}

function stampConditions(request: Request, now: string): void {
  for (const condition of list(request.status?.conditions)) {
    condition.lastUpdateTime ??= now;
    condition.lastTransitionTime ??= now;
  }
}

/** /approval changes conditions alone; /status everything of the status but the decision. */
const approvalStrategy: Strategy<Request> = {
  prepareForUpdate(request, old, { now }) {
    const conditions = request.status?.conditions;
    request.spec = structuredClone(old.spec);
    request.status = { ...structuredClone(old.status), ...(conditions ? { conditions } : {}) };
    stampConditions(request, now);
  },
  validateUpdate: (request, old) => [
    ...validateMetaUpdate(request, old),
    ...validateConditions(request, old),
  ],
};

function keepDecision(request: Request, old: Request): void {
  const decided = list(old.status?.conditions).filter(({ type }) => DECISIONS.includes(type));
  const others = list(request.status?.conditions).filter(({ type }) => !DECISIONS.includes(type));
  request.status ??= {};
  if (decided.length + others.length > 0) request.status.conditions = [...decided, ...others];
}

function conditionText(request: Request): string {
  const decision = has(request, 'Denied')
    ? 'Denied'
    : has(request, 'Approved')
      ? 'Approved'
      : 'Pending';
  return [
    decision,
    ...(has(request, 'Failed') ? ['Failed'] : []),
    ...(request.status?.certificate ? ['Issued'] : []),
  ].join(',');
}

export const CertificateSigningRequestKind = defineKind<Request>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  scope: 'Cluster',
  strategy: strategyOf<Request>({
    namespaced: false,
    name: pathSegment,
    ownsStatus: true,
    initialStatus: () => ({}),
    prepareForCreate(request, { user }) {
      if (!request.spec || !user) return;
      request.spec.username = user.name;
      request.spec.groups = [...user.groups];
    },
    prepareForUpdate(request, old) {
      request.spec = structuredClone(old.spec);
    },
    check: validateSpec,
    checkUpdate: (request, old) =>
      isDeepEqual(request.spec, old.spec) ? [] : immutable(request.spec, old.spec, SPEC),
  }),
  status: statusStrategyOf<Request>(validateConditions, keepDecision),
  subresources: { approval: approvalStrategy },
  selectableFields: ({ spec }) => ({ 'spec.signerName': spec?.signerName ?? '' }),
  columns: table<Request>([
    nameColumn,
    ageColumn,
    column('SignerName', ({ spec }) => spec?.signerName || '<none>'),
    column('Requestor', ({ spec }) => spec?.username ?? ''),
    column('RequestedDuration', ({ spec }) =>
      typeof spec?.expirationSeconds === 'number'
        ? humanDuration(spec.expirationSeconds * 1000)
        : '<none>',
    ),
    column('Condition', conditionText),
  ]),
  hasGeneration: false,
});
