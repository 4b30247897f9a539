import type { Service } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { serviceColumns } from './service.columns.js';
import { setServiceDefaults } from './service.defaults.js';
import { serviceStatusStrategy, serviceStrategy } from './service.strategy.js';

export const ServiceKind = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  scope: 'Namespaced',
  storagePrefix: 'services/specs',
  setDefaults: setServiceDefaults,
  strategy: serviceStrategy,
  status: serviceStatusStrategy,
  selectableFields: ({ spec }) => ({
    'spec.clusterIP': spec?.clusterIP ?? '',
    'spec.type': spec?.type ?? '',
  }),
  columns: serviceColumns,
  hasGeneration: false,
});
