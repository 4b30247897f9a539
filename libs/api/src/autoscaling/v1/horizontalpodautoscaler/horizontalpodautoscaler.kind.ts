import { defineKind } from '../../../kind.js';
import type { HorizontalPodAutoscaler } from '../../../gen/types/autoscaling.v1.js';
import type { HorizontalPodAutoscaler as Stored } from '../../../gen/types/autoscaling.v2.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { horizontalPodAutoscalerColumns } from '../../v2/horizontalpodautoscaler/horizontalpodautoscaler.columns.js';
import { validateHorizontalPodAutoscaler } from '../../v2/horizontalpodautoscaler/horizontalpodautoscaler.validation.js';
import { horizontalPodAutoscalerConversion as conversion } from './horizontalpodautoscaler.conversion.js';

const stored = (object: HorizontalPodAutoscaler): Stored => conversion.toStorage(object) as Stored;

export const HorizontalPodAutoscalerV1Kind = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  scope: 'Namespaced',
  setDefaults({ spec }) {
    if (spec) spec.minReplicas ??= 1;
  },
  storageConversion: conversion,
  strategy: strategyOf<HorizontalPodAutoscaler>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({ currentReplicas: 0, desiredReplicas: 0 }),
    checkCreate: (object) => validateHorizontalPodAutoscaler(stored(object)),
    checkUpdate: (object, old) => validateHorizontalPodAutoscaler(stored(object), stored(old)),
  }),
  status: statusStrategyOf<HorizontalPodAutoscaler>(),
  columns: {
    columns: horizontalPodAutoscalerColumns.columns,
    row: (object, now) => horizontalPodAutoscalerColumns.row(stored(object), now),
  },
  hasGeneration: false,
});
