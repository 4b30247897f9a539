import { describe, expect, it } from '@jest/globals';
import { refusals, updateRefusals } from '../../findings.fixture.js';
import type { Refused } from '../../findings.fixture.js';
import { HorizontalPodAutoscalerKind } from './horizontalpodautoscaler/horizontalpodautoscaler.kind.js';

const metric = (given: object): object => ({ spec: { metrics: [given] } });
const rules = (given: object): object => ({ spec: { behavior: { scaleDown: given } } });
const value = { type: 'Value', value: '1' };
const at = 'spec.metrics[0]';
const down = 'spec.behavior.scaleDown';

describe('a HorizontalPodAutoscaler', () => {
  it.each<Refused>([
    {
      name: 'that scales nothing, from none to none',
      change: { spec: { minReplicas: 0, maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } } },
      want: [
        'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
        'spec.maxReplicas: Invalid value: 0: must be greater than 0',
        'spec.scaleTargetRef.kind: Required value',
        'spec.scaleTargetRef.name: Required value',
        'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
      ],
    },
    {
      name: 'by a metric of no type',
      change: metric({}),
      want: [
        `${at}.type: Required value: must specify a metric source type`,
        `${at}.type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"`,
        `${at}.type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"`,
      ],
    },
    {
      name: 'by a metric without its source',
      change: metric({ type: 'Pods' }),
      want: [`${at}.pods: Required value: must populate information for the given metric source`],
    },
    {
      name: 'by two sources in one metric',
      change: metric({
        type: 'Pods',
        pods: { metric: { name: 'a' }, target: { type: 'AverageValue', averageValue: '1' } },
        external: { metric: { name: 'b' }, target: value },
      }),
      want: [`${at}.external: Forbidden: must populate the given metric source only`],
    },
    {
      name: 'by a resource of both targets',
      change: metric({
        type: 'Resource',
        resource: {
          name: 'cpu',
          target: { type: 'Utilization', averageUtilization: 0, averageValue: '-1' },
        },
      }),
      want: [
        `${at}.resource.target.averageValue: Invalid value: "-1": must be positive`,
        `${at}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
        `${at}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`,
      ],
    },
    {
      name: 'by an object without target and name',
      change: metric({ type: 'Object', object: { describedObject: { kind: 'a/b', name: 'x' } } }),
      want: [
        `${at}.object.describedObject.kind: Invalid value: "a/b": may not contain '/'`,
        `${at}.object.metric.name: Required value: must specify a metric name`,
        `${at}.object.target.type: Required value: must specify a metric target type`,
        `${at}.object.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue`,
        `${at}.object.target.averageValue: Required value: must set either a target value or averageValue`,
      ],
    },
    {
      name: 'by a container that is not named',
      change: metric({
        type: 'ContainerResource',
        containerResource: { name: 'cpu', target: { type: 'Utilization' } },
      }),
      want: [
        `${at}.containerResource.container: Required value: must specify a container`,
        `${at}.containerResource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
      ],
    },
    {
      name: 'by rules out of range',
      change: rules({
        stabilizationWindowSeconds: 9999,
        selectPolicy: 'Mean',
        policies: [{ type: 'Nodes', value: 0, periodSeconds: 1801 }],
      }),
      want: [
        `${down}.stabilizationWindowSeconds: Invalid value: 9999: must be less than or equal to 3600`,
        `${down}.selectPolicy: Unsupported value: "Mean": supported values: "Disabled", "Max", "Min"`,
        `${down}.policies[0].type: Unsupported value: "Nodes": supported values: "Percent", "Pods"`,
        `${down}.policies[0].value: Invalid value: 0: must be greater than zero`,
        `${down}.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800`,
      ],
    },
    {
      name: 'by rules without policies',
      change: rules({ policies: [] }),
      want: [`${down}.policies: Required value: must specify at least one Policy`],
    },
  ])('is refused $name', ({ change, want }) => {
    expect(refusals(HorizontalPodAutoscalerKind, change)).toEqual(want);
  });

  it('has no negative counts', () => {
    const after = { status: { currentReplicas: -1, desiredReplicas: -2 } };
    expect(updateRefusals(HorizontalPodAutoscalerKind, {}, after, 'status')).toEqual([
      'status.currentReplicas: Invalid value: -1: must be greater than or equal to 0',
      'status.desiredReplicas: Invalid value: -2: must be greater than or equal to 0',
    ]);
  });
});
