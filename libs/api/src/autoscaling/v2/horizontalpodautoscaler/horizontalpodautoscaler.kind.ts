import { defineKind } from '../../../kind.js';
import type {
  HPAScalingRules,
  HorizontalPodAutoscaler,
} from '../../../gen/types/autoscaling.v2.js';
import { list } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { horizontalPodAutoscalerColumns } from './horizontalpodautoscaler.columns.js';
import {
  validateAutoscalerStatus,
  validateHorizontalPodAutoscaler,
} from './horizontalpodautoscaler.validation.js';

const DEFAULT_UTILIZATION = 80;

const scaleUp = (): HPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
});

const scaleDown = (): HPAScalingRules => ({
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
});

/** k8s pkg/apis/autoscaling/v2/defaults.go:SetDefaults_HorizontalPodAutoscaler. */
export function setHorizontalPodAutoscalerDefaults({
  spec,
  status,
}: HorizontalPodAutoscaler): void {
  if (status) status.desiredReplicas ??= 0;
  if (!spec) return;
  spec.minReplicas ??= 1;
  if (list(spec.metrics).length === 0) {
    const target = { type: 'Utilization', averageUtilization: DEFAULT_UTILIZATION };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  if (!spec.behavior) return;
  spec.behavior.scaleUp = { ...scaleUp(), ...spec.behavior.scaleUp };
  spec.behavior.scaleDown = { ...scaleDown(), ...spec.behavior.scaleDown };
}

export const HorizontalPodAutoscalerKind = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults: setHorizontalPodAutoscalerDefaults,
  strategy: strategyOf<HorizontalPodAutoscaler>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({ currentMetrics: null, desiredReplicas: 0 }),
    checkCreate: (object) => validateHorizontalPodAutoscaler(object),
    checkUpdate: validateHorizontalPodAutoscaler,
  }),
  status: statusStrategyOf<HorizontalPodAutoscaler>(validateAutoscalerStatus),
  columns: horizontalPodAutoscalerColumns,
  hasGeneration: false,
});
