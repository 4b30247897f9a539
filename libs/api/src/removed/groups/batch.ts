import { CronJobKind } from '../../batch/v1/cronjob/cronjob.kind.js';
import { removedKind } from '../removed-kind.js';

export const removedBatch = [
  removedKind(CronJobKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.21', removed: '1.25' },
    garbage: { byDefault: 'Orphan' },
  }),
];
