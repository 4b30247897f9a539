/**
 * autoscaling/v2beta1, which the generator's tables leave out: each type's fields with their numbers in protobuf
 * (k8s.io/api autoscaling/v2beta1 generated.proto). `!` = required, `[]` = a list.
 */
export const AUTOSCALING_V2BETA1: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  CrossVersionObjectReference: { kind: '1 string!', name: '2 string!', apiVersion: '3 string' },
  ResourceMetricSource: {
    name: '1 string!',
    targetAverageUtilization: '2 int32',
    targetAverageValue: '3 Quantity',
  },
  ResourceMetricStatus: {
    name: '1 string!',
    currentAverageUtilization: '2 int32',
    currentAverageValue: '3 Quantity!',
  },
  ContainerResourceMetricSource: {
    name: '1 string!',
    targetAverageUtilization: '2 int32',
    targetAverageValue: '3 Quantity',
    container: '4 string!',
  },
  ContainerResourceMetricStatus: {
    name: '1 string!',
    currentAverageUtilization: '2 int32',
    currentAverageValue: '3 Quantity!',
    container: '4 string!',
  },
  PodsMetricSource: {
    metricName: '1 string!',
    targetAverageValue: '2 Quantity!',
    selector: '3 LabelSelector',
  },
  PodsMetricStatus: {
    metricName: '1 string!',
    currentAverageValue: '2 Quantity!',
    selector: '3 LabelSelector',
  },
  ObjectMetricSource: {
    target: '1 CrossVersionObjectReference!',
    metricName: '2 string!',
    targetValue: '3 Quantity!',
    selector: '4 LabelSelector',
    averageValue: '5 Quantity',
  },
  ObjectMetricStatus: {
    target: '1 CrossVersionObjectReference!',
    metricName: '2 string!',
    currentValue: '3 Quantity!',
    selector: '4 LabelSelector',
    averageValue: '5 Quantity',
  },
  ExternalMetricSource: {
    metricName: '1 string!',
    metricSelector: '2 LabelSelector',
    targetValue: '3 Quantity',
    targetAverageValue: '4 Quantity',
  },
  ExternalMetricStatus: {
    metricName: '1 string!',
    metricSelector: '2 LabelSelector',
    currentValue: '3 Quantity!',
    currentAverageValue: '4 Quantity',
  },
  MetricSpec: {
    type: '1 string!',
    object: '2 ObjectMetricSource',
    pods: '3 PodsMetricSource',
    resource: '4 ResourceMetricSource',
    external: '5 ExternalMetricSource',
    containerResource: '7 ContainerResourceMetricSource',
  },
  MetricStatus: {
    type: '1 string!',
    object: '2 ObjectMetricStatus',
    pods: '3 PodsMetricStatus',
    resource: '4 ResourceMetricStatus',
    external: '5 ExternalMetricStatus',
    containerResource: '7 ContainerResourceMetricStatus',
  },
  HorizontalPodAutoscalerCondition: {
    type: '1 string!',
    status: '2 string!',
    lastTransitionTime: '3 Time',
    reason: '4 string',
    message: '5 string',
  },
  HorizontalPodAutoscalerSpec: {
    scaleTargetRef: '1 CrossVersionObjectReference!',
    minReplicas: '2 int32',
    maxReplicas: '3 int32!',
    metrics: '4 MetricSpec[]',
  },
  HorizontalPodAutoscalerStatus: {
    observedGeneration: '1 int64',
    lastScaleTime: '2 Time',
    currentReplicas: '3 int32!',
    desiredReplicas: '4 int32!',
    currentMetrics: '5 MetricStatus[]',
    conditions: '6 HorizontalPodAutoscalerCondition[]',
  },
  HorizontalPodAutoscaler: {
    metadata: '1 ObjectMeta',
    spec: '2 HorizontalPodAutoscalerSpec',
    status: '3 HorizontalPodAutoscalerStatus',
  },
  HorizontalPodAutoscalerList: { metadata: '1 ListMeta', items: '2 HorizontalPodAutoscaler[]!' },
};
