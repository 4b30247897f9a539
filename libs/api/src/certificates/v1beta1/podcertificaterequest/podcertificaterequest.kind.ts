import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid } from '@orrery/apimachinery';
import type { PodCertificateRequest } from '../../../gen/types/certificates.v1beta1.js';
import { defineKind } from '../../../kind.js';
import { present } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');
const HOUR = 3600;
const MAX_SECONDS = 91 * 24 * HOUR;
const OUTCOMES = ['Issued', 'Denied', 'Failed'];

function validate({ spec }: PodCertificateRequest): FieldError[] {
  const seconds = spec?.maxExpirationSeconds ?? 24 * HOUR;
  const at = SPEC.child('maxExpirationSeconds');
  const text = `must be in the range [${HOUR}, ${MAX_SECONDS}]`;
  return [
    ...present(spec?.signerName, SPEC.child('signerName')),
    ...(['podName', 'serviceAccountName', 'nodeName'] as const).flatMap((field) =>
      check(dnsSubdomain, spec?.[field], SPEC.child(field)),
    ),
    ...(['podUID', 'serviceAccountUID', 'nodeUID'] as const).flatMap((field) =>
      present(spec?.[field], SPEC.child(field)),
    ),
    ...when(seconds < HOUR || seconds > MAX_SECONDS, invalid(at, seconds, text)),
  ];
}

/** A request is answered once: with one of three conditions that never goes again. */
function validateStatus(object: PodCertificateRequest, old: PodCertificateRequest): FieldError[] {
  const path = STATUS.child('conditions');
  const outcome = (each: PodCertificateRequest): string[] =>
    list(each.status?.conditions)
      .map(({ type }) => type)
      .filter((type) => OUTCOMES.includes(type));
  const known = outcome(object);
  return [
    ...when(
      known.length > 1,
      invalid(
        path,
        object.status?.conditions,
        'There may be at most one condition with type "Issued", "Denied", or "Failed"',
      ),
    ),
    ...(outcome(old).length > 0 ? immutable(object.status, old.status, STATUS) : []),
  ];
}

const stateOf = ({ status }: PodCertificateRequest): string =>
  list(status?.conditions).find(({ type }) => OUTCOMES.includes(type))?.type ?? 'Pending';

export const PodCertificateRequestKind = defineKind<PodCertificateRequest>({
  group: 'certificates.k8s.io',
  version: 'v1beta1',
  kind: 'PodCertificateRequest',
  plural: 'podcertificaterequests',
  scope: 'Namespaced',
  setDefaults({ spec }) {
    if (spec) spec.maxExpirationSeconds ??= 24 * HOUR;
  },
  strategy: strategyOf<PodCertificateRequest>({
    namespaced: true,
    allowUnconditionalUpdate: false,
    ownsStatus: true,
    initialStatus: () => ({}),
    check: validate,
    checkUpdate: ({ spec }, old) => immutable(spec, old.spec, SPEC),
  }),
  status: statusStrategyOf<PodCertificateRequest>(validateStatus),
  selectableFields: ({ spec }) => ({
    'spec.signerName': spec?.signerName ?? '',
    'spec.podName': spec?.podName ?? '',
    'spec.nodeName': spec?.nodeName ?? '',
  }),
  columns: table<PodCertificateRequest>([
    nameColumn,
    column('PodName', ({ spec }) => spec?.podName ?? ''),
    column('ServiceAccountName', ({ spec }) => spec?.serviceAccountName ?? ''),
    column('NodeName', ({ spec }) => spec?.nodeName ?? ''),
    column('SignerName', ({ spec }) => spec?.signerName ?? ''),
    column('State', stateOf),
    ageColumn,
  ]),
  hasGeneration: false,
});
