import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { NodeKind } from './node.kind.js';

const annotated = (key: string, value: string): object => ({
  metadata: { annotations: { [`scheduler.alpha.kubernetes.io/${key}`]: value } },
});
const FORM =
  "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";

describe('a node of a current release', () => {
  it.each<Refused>([
    {
      name: 'taints of one kind twice, and of an unknown effect',
      change: {
        spec: {
          taints: [
            { key: 'd', effect: 'NoExecute' },
            { key: 'd', effect: 'NoExecute', value: 'other' },
            { key: 'e', effect: 'Never' },
          ],
        },
      },
      want: [
        'metadata.taints[1]: Duplicate value: {"Key":"d","Value":"other","Effect":"NoExecute","TimeAdded":null}: taints must be unique by key and effect pair',
        'metadata.taints[2].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    },
    {
      name: 'taints of old without an effect',
      change: annotated('taints', '[{"key":"a"}]'),
      want: ['metadata.annotations.scheduler.alpha.kubernetes.io/taints[0].effect: Required value'],
    },
    {
      name: 'taints of old that are no JSON',
      change: annotated('taints', '[}'),
      want: [
        'metadata.annotations: Invalid value: "scheduler.alpha.kubernetes.io/taints": invalid character \'}\' looking for beginning of value',
      ],
    },
    {
      name: 'pods to avoid of no owner',
      change: annotated('preferAvoidPods', '{"preferAvoidPods":[{"podSignature":{}}]}'),
      want: [
        'metadata.annotations.scheduler.alpha.kubernetes.io/preferAvoidPods[0].PodSignature: Required value',
      ],
    },
    {
      name: 'pods to avoid of an owner that does not control them',
      change: annotated(
        'preferAvoidPods',
        '{"preferAvoidPods":[{"podSignature":{"podController":{"controller":false}}}]}',
      ),
      want: [
        'metadata.annotations.scheduler.alpha.kubernetes.io/preferAvoidPods[0].PodSignature.PodController.Controller: Invalid value: false: must point to a controller',
      ],
    },
    {
      name: 'no swap',
      change: { status: { nodeInfo: { swap: { capacity: 0 } } } },
      want: ['metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero'],
    },
    {
      name: 'features of other names, out of order and twice',
      change: { status: { declaredFeatures: ['B', 'A', 'A', 'a b'] } },
      want: [
        'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
        'status.declaredFeatures[2]: Duplicate value: "A"',
        `status.declaredFeatures[3]: Invalid value: "a b": invalid feature name "a b": ${FORM}`,
      ],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(NodeKind, change)).toEqual(want);
  });

  it('tells each of its addresses once, in its status too', () => {
    const address = { type: 'InternalIP', address: '1.2.3.4' };
    const after = { status: { addresses: [address, address] } };
    expect(updateRefusals(NodeKind, {}, after, 'status')).toEqual([
      'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"1.2.3.4"}',
    ]);
  });

  it('keeps its external id, and names the configuration of old in full', () => {
    const after = { spec: { externalID: 'x', configSource: { configMap: { uid: 'u' } } } };
    expect(updateRefusals(NodeKind, {}, after)).toEqual([
      'spec.configSource.configMap.uid: Forbidden: uid must not be set in spec',
      'spec.configSource.configMap.namespace: Required value',
      'spec.configSource.configMap.name: Required value',
      'spec.configSource.configMap.kubeletConfigKey: Required value',
      'spec.externalID: Forbidden: may not be updated',
    ]);
  });
});
