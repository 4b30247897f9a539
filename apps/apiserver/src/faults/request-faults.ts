import { StatusError } from '@orrery/apimachinery';
import type { Clock } from '@orrery/component';
import type { ApiRequest } from '../filters/api-request.js';
import { failureOf, matches } from './fault-rule.js';
import type { FaultRule, FaultSubject, WatchFault } from './fault-rule.js';

interface ActiveRule {
  readonly id: string;
  readonly rule: FaultRule;
  met: number;
}

/** A watch that is open. */
export interface OpenWatch {
  readonly subject: FaultSubject;
  /** Cuts the connection without another byte. */
  drop(): void;
  /** Ends the watch with this error as its last event. */
  fail(error: StatusError): void;
}

/** What a rule is matched with. */
export const subjectOf = ({
  info,
  context,
}: Pick<ApiRequest, 'info' | 'context'>): FaultSubject => ({
  info,
  user: context.user.name,
  userAgent: context.userAgent,
});

/** Rules that come to more are refused: each costs every request a look. */
const MAX_RULES = 1000;

/** The faults that a test or a lab has asked for: what requests meet before they are served, and what happens to watches. */
export class RequestFaults {
  private readonly rules = new Map<string, ActiveRule>();
  private readonly watches = new Set<OpenWatch>();
  private added = 0;

  constructor(private readonly clock: Clock) {}

  add(rule: FaultRule): string {
    if (this.rules.size >= MAX_RULES)
      throw new StatusError(422, 'Invalid', `there are ${MAX_RULES} fault rules already`);
    const id = String((this.added += 1));
    this.rules.set(id, { id, rule, met: 0 });
    return id;
  }

  list(): readonly { readonly id: string; readonly rule: FaultRule; readonly met: number }[] {
    return [...this.rules.values()];
  }

  /** Without an id all. Answers how many went. */
  remove(id?: string): number {
    if (id !== undefined) return this.rules.delete(id) ? 1 : 0;
    const count = this.rules.size;
    this.rules.clear();
    return count;
  }

  /** Waits as the first matching rule says, and throws what it says. */
  async meet(request: ApiRequest): Promise<void> {
    if (this.rules.size === 0) return;
    const subject = subjectOf(request);
    const active = [...this.rules.values()].find(({ rule }) => matches(rule, subject));
    if (!active) return;
    active.met += 1;
    const { id, rule } = active;
    if (rule.times !== undefined && active.met >= rule.times) this.rules.delete(id);
    if (rule.delayMs) await this.clock.sleep(rule.delayMs, request.context.signal);
    const failure = failureOf(rule);
    if (failure) throw failure;
  }

  /** Notes an open watch until the function that it answers is called. */
  watching(watch: OpenWatch): () => void {
    this.watches.add(watch);
    return () => {
      this.watches.delete(watch);
    };
  }

  /** Answers how many watches it befell. */
  strike(fault: WatchFault): number {
    const struck = [...this.watches].filter(({ subject }) => matches(fault, subject));
    for (const watch of struck) {
      if (fault.fault === 'drop') watch.drop();
      else
        watch.fail(
          new StatusError(
            410,
            'Expired',
            'too old resource version: a fault rule expired this watch',
          ),
        );
    }
    return struck.length;
  }
}
