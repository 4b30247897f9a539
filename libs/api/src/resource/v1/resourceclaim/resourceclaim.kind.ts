import { FieldPath } from '@orrery/apimachinery';
import type { ResourceClaim } from '../../../gen/types/resource.v1.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import { keepMetadata, statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import { validateClaimStatus } from './claim-status.validation.js';
import { setClaimSpecDefaults } from './device-claim.defaults.js';
import { validateClaimSpec } from './device-claim.validation.js';

const SPEC = FieldPath.of('spec');

function stateOf({ metadata, status }: ResourceClaim): string {
  const isDeleted = Boolean(metadata.deletionTimestamp);
  const state = status?.allocation ? 'allocated' : isDeleted ? '' : 'pending';
  const isReserved = status?.allocation && list(status.reservedFor).length > 0;
  return [isDeleted ? 'deleted' : '', state, isReserved ? 'reserved' : '']
    .filter(Boolean)
    .join(',');
}

export const ResourceClaimKind = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  scope: 'Namespaced',
  setDefaults: ({ spec }) => {
    setClaimSpecDefaults(spec);
  },
  strategy: strategyOf<ResourceClaim>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({}),
    checkCreate: ({ spec }) => validateClaimSpec(spec, SPEC),
    checkUpdate: ({ spec }, old) =>
      immutable(spec, old.spec, SPEC, 'resource/v1.ResourceClaimSpec'),
  }),
  status: statusStrategyOf<ResourceClaim>(validateClaimStatus, keepMetadata),
  columns: table<ResourceClaim>([nameColumn, column('State', stateOf), ageColumn]),
  hasGeneration: false,
});
