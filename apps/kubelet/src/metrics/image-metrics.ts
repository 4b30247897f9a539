import type { Metrics } from '@orrery/component';

/** k8s pkg/kubelet/metrics/metrics.go:imagePullDurationBuckets. */
const PULL_BUCKETS = [
  1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];

const MB = 2 ** 20;
const GB = 2 ** 30;
/** Sizes above which a label holds, the greatest first (k8s pkg/kubelet/metrics/metrics.go:imageSizeBuckets). */
const SIZES: readonly (readonly [aboveBytes: number, label: string])[] = [
  [100 * GB, 'GT100GB'],
  [60 * GB, '60GB-100GB'],
  [40 * GB, '40GB-60GB'],
  [30 * GB, '30GB-40GB'],
  [20 * GB, '20GB-30GB'],
  [10 * GB, '10GB-20GB'],
  [5 * GB, '5GB-10GB'],
  [GB, '1GB-5GB'],
  [500 * MB, '500MB-1GB'],
  [100 * MB, '100MB-500MB'],
  [10 * MB, '10MB-100MB'],
  [0, '0-10MB'],
];

/** The label of an image of that size; `N/A` when nothing is known of it. */
export const sizeLabelOf = (bytes: number): string =>
  SIZES.find(([above]) => bytes > above)?.[1] ?? 'N/A';

/** Images and pulls (k8s pkg/kubelet/metrics/metrics.go, pkg/kubelet/images/metrics.go and pullmanager/metrics.go, v1.36). */
export const imageMetrics = (metrics: Metrics) => ({
  ensured: metrics.counter({
    name: 'kubelet_image_manager_ensure_image_requests_total',
    help: 'Number of ensure-image requests processed by the kubelet.',
    labels: ['present_locally', 'pull_policy', 'pull_required'],
  }),
  pullDuration: metrics.histogram({
    name: 'kubelet_image_pull_duration_seconds',
    help: 'Duration in seconds to pull an image.',
    labels: ['image_size_in_bytes'],
    buckets: PULL_BUCKETS,
  }),
  collected: metrics.counter({
    name: 'kubelet_image_garbage_collected_total',
    help: 'Total number of images garbage collected by the kubelet, whether through disk usage or image age.',
    labels: ['reason'],
  }),
  pullChecks: metrics.counter({
    name: 'kubelet_imagemanager_image_mustpull_checks_total',
    help: 'Counter for how many times kubelet checked whether credentials need to be re-verified to access an image',
    labels: ['result'],
  }),
  volumes: {
    requested: metrics.counter({
      name: 'kubelet_image_volume_requested_total',
      help: 'Number of requested image volumes.',
    }),
    mounted: metrics.counter({
      name: 'kubelet_image_volume_mounted_succeed_total',
      help: 'Number of successful image volume mounts.',
    }),
    failed: metrics.counter({
      name: 'kubelet_image_volume_mounted_errors_total',
      help: 'Number of failed image volume mounts.',
    }),
  },
});

export type ImageMetrics = ReturnType<typeof imageMetrics>;
