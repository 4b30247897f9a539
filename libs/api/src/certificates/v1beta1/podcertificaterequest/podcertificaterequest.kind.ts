import type { PodCertificateRequest } from '../../../gen/types/certificates.v1beta1.js';
import { defineKind } from '../../../kind.js';
import { immutable } from '../../../meta/object-meta.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { HOUR, SPEC } from './paths.js';
import { outcomeOf, validateAnswer } from './podcertificaterequest-status.validation.js';
import { validateRequest } from './podcertificaterequest.validation.js';

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
    checkCreate: validateRequest,
    checkUpdate: ({ spec }, old) =>
      immutable(spec, old.spec, SPEC, 'certificates/v1beta1.PodCertificateRequestSpec'),
  }),
  status: statusStrategyOf<PodCertificateRequest>(validateAnswer),
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
    column('State', (request) => outcomeOf(request) ?? 'Pending'),
    ageColumn,
  ]),
  hasGeneration: false,
});
