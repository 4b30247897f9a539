import { LeaseKind } from '../../coordination/v1/lease/lease.kind.js';
import { removedKind } from '../removed-kind.js';

export const removedCoordination = [
  removedKind(LeaseKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.19', removed: '1.22' },
  }),
];
