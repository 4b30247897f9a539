import type { ApiRequest } from '../filters/api-request.js';
import type { Limiter, Permission } from './limiter.js';

const READS = new Set(['get', 'list', 'watch']);
const NOTHING = (): void => undefined;

/** Without priority and fairness: so many reads and so many writes at once (k8s pkg/server/filters/maxinflight.go). */
export class MaxInFlight implements Limiter {
  private readonly running = { reads: 0, writes: 0 };

  constructor(private readonly limits: { readonly reads: number; readonly writes: number }) {}

  enter({ info, context }: ApiRequest): Permission {
    const kind = READS.has(info.verb) ? 'reads' : 'writes';
    const limit = this.limits[kind];
    if (limit === 0 || context.user.groups.includes('system:masters')) return NOTHING;
    if (this.running[kind] >= limit) return undefined;
    this.running[kind] += 1;
    return () => {
      this.running[kind] -= 1;
    };
  }

  publish(): void {
    // Upstream has no counts of its own here.
  }
}
