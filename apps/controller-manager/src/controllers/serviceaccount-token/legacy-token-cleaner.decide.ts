import type { Pod, Secret, ServiceAccount } from '@orrery/api';
import { toTime } from '@orrery/component';

export const LAST_USED = 'kubernetes.io/legacy-token-last-used';
export const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const DAY_MS = 86_400_000;

export type CleanUp = 'none' | 'mark' | 'delete';

/** A label's value: a day. */
export const dayOf = (ms: number): string => toTime(ms).slice(0, 10);

/** The day after which nothing of that day is left; NaN for text that is no day. */
const endOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) + DAY_MS;

export interface LegacyWorld {
  readonly secret: Secret;
  readonly account: ServiceAccount | undefined;
  /** Of the namespace. */
  readonly pods: readonly Pod[];
  /** Since when the API server notes the use of tokens. */
  readonly trackedSince: string;
  readonly periodMs: number;
  readonly now: number;
}

const isMounted = ({ spec }: Pod, name: string): boolean =>
  (spec?.volumes ?? []).some(({ secret }) => secret?.secretName === name);

/**
 * Pure: an automatic token Secret that no pod mounts and nobody used for the period is first refused by a label, then,
 * a period later, deleted (k8s pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go).
 */
export function decideCleanUp(world: LegacyWorld): CleanUp {
  const { secret, account, pods, periodMs, now } = world;
  const { name = '', labels = {} } = secret.metadata;
  // Secrets that a user made are nobody's business: only those that the account lists were made automatically.
  const isAutomatic = (account?.secrets ?? []).some((one) => one.name === name);
  if (!isAutomatic || pods.some((pod) => isMounted(pod, name))) return 'none';
  const used = endOf(labels[LAST_USED] ?? world.trackedSince);
  if (!(used + periodMs < now)) return 'none';
  const invalid = labels[INVALID_SINCE];
  if (invalid === undefined) return 'mark';
  return endOf(invalid) + periodMs < now ? 'delete' : 'none';
}
