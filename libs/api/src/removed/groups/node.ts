import { RuntimeClassKind } from '../../node/v1/runtimeclass/runtimeclass.kind.js';
import { defined, fieldsOf, without } from '../json.js';
import { removedKind } from '../removed-kind.js';

const OF_SPEC = ['overhead', 'scheduling'] as const;

export const removedNode = [
  removedKind(RuntimeClassKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.22', removed: '1.25', replacement: false },
  }),
  removedKind(RuntimeClassKind, {
    version: 'v1alpha1',
    conversion: {
      toHub(object) {
        const { runtimeHandler: handler, overhead, scheduling } = fieldsOf(object['spec']);
        return defined({ ...without(object, 'spec'), handler, overhead, scheduling });
      },
      fromHub(hub) {
        const { handler: runtimeHandler, overhead, scheduling } = hub;
        const spec = defined({ runtimeHandler, overhead, scheduling });
        return { ...without(hub, 'handler', ...OF_SPEC), spec };
      },
    },
  }),
];
