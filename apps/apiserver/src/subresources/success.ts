import type { Status } from '@orrery/apimachinery';

/** The Status that answers a command which leaves no object. */
export function success(code: number): Record<string, unknown> & Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code };
}
