import { APIServiceKind } from '../../apiregistration/v1/apiservice/apiservice.kind.js';
import { removedKind } from '../removed-kind.js';

export const removedApiregistration = [
  removedKind(APIServiceKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.19', removed: '1.22' },
  }),
];
