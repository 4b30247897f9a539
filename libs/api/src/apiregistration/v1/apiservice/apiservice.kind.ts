import { isPathSegmentName } from '@orrery/apimachinery';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { keepMetadata, statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import type { APIService } from './apiservice.types.js';
import { validateApiService, validateApiServiceStatus } from './apiservice.validation.js';

/** What is served by the server itself is there at once. */
const initialStatus = ({ spec }: APIService, now: string): APIService['status'] =>
  spec?.service
    ? {}
    : {
        conditions: [
          {
            type: 'Available',
            status: 'True',
            lastTransitionTime: now,
            reason: 'Local',
            message: 'Local APIServices are always available',
          },
        ],
      };

function available({ status }: APIService): string {
  const found = list(status?.conditions).find(({ type }) => type === 'Available');
  if (!found) return 'Unknown';
  return found.status === 'True' || !found.reason
    ? found.status
    : `${found.status} (${found.reason})`;
}

export const APIServiceKind = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
  message: 'k8s.io.kube_aggregator.pkg.apis.apiregistration.v1.APIService',
  storagePrefix: 'apiregistration.k8s.io/apiservices',
  setDefaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443;
  },
  strategy: strategyOf<APIService>({
    name: isPathSegmentName,
    namespaced: false,
    allowUnconditionalUpdate: false,
    ownsStatus: true,
    initialStatus: () => ({}),
    prepareForCreate(object, { now }) {
      object.status = initialStatus(object, now) ?? {};
    },
    check: validateApiService,
  }),
  status: statusStrategyOf<APIService>(validateApiServiceStatus, keepMetadata),
  columns: table<APIService>([
    nameColumn,
    column('Service', ({ spec }) =>
      spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local',
    ),
    column('Available', available),
    ageColumn,
  ]),
  hasGeneration: false,
});
