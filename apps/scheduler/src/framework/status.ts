/** What a plugin says about a pod. `Wait` is Permit's; `Skip` turns the plugin off for the rest of the cycle. */
export type StatusCode =
  'Success' | 'Error' | 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Wait' | 'Skip';

export interface Status {
  readonly code: StatusCode;
  readonly reasons: readonly string[];
  /** The plugin that said so; the runner fills it in. */
  readonly plugin?: string;
  readonly error?: unknown;
}

export const success: Status = { code: 'Success', reasons: [] };
export const skip: Status = { code: 'Skip', reasons: [] };

/** Refused now; removing pods may help. */
export const unschedulable = (...reasons: readonly string[]): Status => ({
  code: 'Unschedulable',
  reasons,
});

/** Refused, and removing pods would not help. */
export const unresolvable = (...reasons: readonly string[]): Status => ({
  code: 'UnschedulableAndUnresolvable',
  reasons,
});

export const failed = (error: unknown): Status => ({
  code: 'Error',
  reasons: [error instanceof Error ? error.message : String(error)],
  error,
});

export const isSuccess = (status: Status): boolean => status.code === 'Success';

export const isRejected = (status: Status): boolean =>
  status.code === 'Unschedulable' || status.code === 'UnschedulableAndUnresolvable';

export const by = (plugin: string, status: Status): Status =>
  status.plugin === undefined ? { ...status, plugin } : status;
