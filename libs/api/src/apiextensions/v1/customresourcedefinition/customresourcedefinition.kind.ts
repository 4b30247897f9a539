import type { CustomResourceDefinition } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';
import {
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionCreate,
  validateCustomResourceDefinitionStatus,
  validateCustomResourceDefinitionUpdate,
} from './customresourcedefinition.validation.js';
import { formatWarnings } from './format-warnings.js';

/** k8s apiextensions-apiserver pkg/apis/apiextensions/v1/defaults.go. */
export function setCustomResourceDefinitionDefaults(crd: CustomResourceDefinition): void {
  const { spec } = crd;
  if (!spec) return;
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service) service.port ??= 443;
  const { names } = spec;
  if (names?.kind) {
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= `${names.kind}List`;
  }
  for (const version of list(spec.versions)) {
    version.served ??= false;
    version.storage ??= false;
  }
  setStoredVersions(crd);
}

function setStoredVersions({ spec, status }: CustomResourceDefinition): void {
  const current = list(spec.versions).find(({ storage }) => storage);
  if (status && current && list(status.storedVersions).length === 0)
    status.storedVersions = [current.name];
}

/** The first storage version is recorded at once; conditions come from the API server. */
function initialStatus({ spec }: CustomResourceDefinition): object {
  const stored = list(spec?.versions).find((version) => version.storage);
  return {
    conditions: null,
    acceptedNames: { kind: '', plural: '' },
    storedVersions: stored ? [stored.name] : null,
  };
}

/** A new storage version joins those whose objects may lie in etcd. */
function recordStoredVersions(crd: CustomResourceDefinition): void {
  const current = list(crd.spec?.versions).find((version) => version.storage)?.name;
  const stored = list(crd.status?.storedVersions);
  if (!current || !crd.status || stored.includes(current)) return;
  crd.status = { ...crd.status, storedVersions: [...stored, current] };
}

export const CustomResourceDefinitionKind = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  scope: 'Cluster',
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  setDefaults: setCustomResourceDefinitionDefaults,
  strategy: strategyOf<CustomResourceDefinition>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    ownsStatus: true,
    initialStatus,
    prepareForUpdate: recordStoredVersions,
    checkCreate: (crd) => [
      ...validateCustomResourceDefinition(crd),
      ...validateCustomResourceDefinitionCreate(crd),
    ],
    checkUpdate: (crd, old) => [
      ...validateCustomResourceDefinition(crd, old),
      ...validateCustomResourceDefinitionUpdate(crd, old),
    ],
    warnings: formatWarnings,
  }),
  status: statusStrategyOf<CustomResourceDefinition>(validateCustomResourceDefinitionStatus),
  columns: table<CustomResourceDefinition>([
    nameColumn,
    column('Created At', ({ metadata }) => metadata.creationTimestamp ?? '<unknown>', 'date'),
  ]),
  hasGeneration: true,
});
