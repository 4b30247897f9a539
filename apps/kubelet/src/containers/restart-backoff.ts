import { Backoff } from '@orrery/controller';

/** How long containers that end, and images that cannot be had, wait for their next try (k8s pkg/kubelet/kubelet.go:MaxContainerBackOff). */
export const restartBackoff = (now: () => number, maxMs = 300_000): Backoff =>
  new Backoff(now, { initialMs: Math.min(10_000, maxMs), maxMs });

/** `10s`, `2m40s`: Go's text of a whole-second duration. */
export function toGoSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
