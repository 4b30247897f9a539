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

interface DeviceId {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
}

const idOf = ({ driver, pool, device }: DeviceId): string => `${driver}/${pool}/${device}`;

const allocated = ({ status }: ResourceClaim): string[] =>
  list(status?.allocation?.devices?.results).map(idOf);

/** What a driver says of a device goes with its allocation (k8s pkg/registry/resource/resourceclaim/strategy.go:dropDeallocatedStatusDevices). */
function dropDeallocated(claim: ResourceClaim, old: ResourceClaim): void {
  const { status } = claim;
  if (!status?.devices) return;
  const still = new Set(allocated(claim));
  const gone = new Set(allocated(old).filter((id) => !still.has(id)));
  const devices = status.devices.filter((device) => !gone.has(idOf(device)));
  if (devices.length > 0) status.devices = devices;
  else delete status.devices;
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
  status: statusStrategyOf<ResourceClaim>(validateClaimStatus, (claim, old) => {
    keepMetadata(claim, old);
    dropDeallocated(claim, old);
  }),
  columns: table<ResourceClaim>([nameColumn, column('State', stateOf), ageColumn]),
  hasGeneration: false,
});
