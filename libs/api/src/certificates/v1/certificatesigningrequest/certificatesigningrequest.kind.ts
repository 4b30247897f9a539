import type { CertificateSigningRequest } from '../../../types.js';
import type { Strategy } from '../../../kind.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { pathSegment } from '../../../meta/names.js';
import { validateMetaUpdate } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { humanDuration } from '../../../table/human-duration.js';
import {
  DECISIONS,
  conditionsOf,
  validateRequestSpec,
  validateRequestStatus,
} from './certificatesigningrequest.validation.js';

type Request = CertificateSigningRequest;

/** Conditions without times get those of the same stored condition, or now. */
function stampConditions(request: Request, old: Request, now: string): void {
  for (const condition of list(request.status?.conditions)) {
    const same = conditionsOf(old, condition.type).find(
      ({ status }) => status === condition.status,
    );
    condition.lastUpdateTime ??= now;
    condition.lastTransitionTime ??= same?.lastTransitionTime ?? now;
  }
}

/** Where the number of conditions of these types is as before, they are as before (upstream: preserveConditionInstances). */
function keepConditions(request: Request, old: Request, types: readonly string[]): void {
  const conditions = list(request.status?.conditions);
  const kept = conditions.map((condition) => {
    const { type } = condition;
    const stored = types.includes(type) ? conditionsOf(old, type) : [];
    const now = conditionsOf(request, type);
    return stored.length === now.length ? (stored[now.indexOf(condition)] ?? condition) : condition;
  });
  if (request.status && kept.length > 0) request.status.conditions = kept;
}

/** /approval changes conditions alone; /status everything of the status but the decision. */
const approvalStrategy: Strategy<Request> = {
  prepareForUpdate(request, old, { now }) {
    const conditions = request.status?.conditions;
    request.spec = structuredClone(old.spec);
    request.status = { ...structuredClone(old.status), ...(conditions ? { conditions } : {}) };
    keepConditions(request, old, ['Failed']);
    stampConditions(request, old, now);
  },
  validateUpdate: (request, old) => [
    ...validateMetaUpdate(request, old),
    ...validateRequestStatus(request, old, true),
  ],
};

const statusStrategy: Strategy<Request> = {
  prepareForUpdate(request, old, { now }) {
    request.spec = structuredClone(old.spec);
    keepConditions(request, old, DECISIONS);
    stampConditions(request, old, now);
  },
  validateUpdate: (request, old) => [
    ...validateMetaUpdate(request, old),
    ...validateRequestStatus(request, old, false),
  ],
};

const has = (request: Request, type: string): boolean => conditionsOf(request, type).length > 0;

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
      delete request.spec.uid;
      delete request.spec.extra;
      if (user.uid) request.spec.uid = user.uid;
      if (user.extra) request.spec.extra = structuredClone(user.extra) as Record<string, string[]>;
    },
    prepareForUpdate(request, old) {
      request.spec = structuredClone(old.spec);
    },
    checkCreate: validateRequestSpec,
  }),
  status: statusStrategy,
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
