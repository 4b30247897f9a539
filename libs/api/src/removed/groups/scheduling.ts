import { PriorityClassKind } from '../../scheduling/v1/priorityclass/priorityclass.kind.js';
import { removedKind } from '../removed-kind.js';

export const removedScheduling = [
  removedKind(PriorityClassKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.14', removed: '1.22' },
  }),
];
