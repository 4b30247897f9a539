/** Upper bounds of a histogram, each `factor` times the one before (prometheus.ExponentialBuckets). */
export const exponentialBuckets = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start * factor ** i);
