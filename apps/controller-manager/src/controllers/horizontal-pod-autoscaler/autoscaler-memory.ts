import { parseKeyString } from '@orrery/apimachinery';
import type { Pod } from '@orrery/api';
import type { LabelMatcher } from '@orrery/informers';
import type { Behavior, ScaleEvent, ScaleHistory } from './scaling-rules.js';
import { longestPeriodMs } from './scaling-rules.js';
import type { Recommendation } from './stabilization.js';

interface Memory {
  recommendations: readonly Recommendation[];
  ups: readonly ScaleEvent[];
  downs: readonly ScaleEvent[];
}

/**
 * What autoscalers proposed and did of late, by key. It is lost with the process: the first look after a start takes the
 * present count for a recommendation, as upstream does, so nothing shrinks before a window has passed.
 */
export class AutoscalerMemory {
  readonly #memories = new Map<string, Memory>();
  /** Which pods each autoscaler counts, by key. */
  readonly #selectors = new Map<string, LabelMatcher>();

  recommendations(key: string): readonly Recommendation[] {
    return this.#memories.get(key)?.recommendations ?? [];
  }

  history(key: string): ScaleHistory {
    return this.#memories.get(key) ?? { ups: [], downs: [] };
  }

  /** Notes the count found at the first look. */
  begin(key: string, replicas: number, at: number): void {
    if (this.#memories.has(key)) return;
    this.#memories.set(key, { recommendations: [{ replicas, at }], ups: [], downs: [] });
  }

  /** Notes a recommendation; those older than the window are of no use any more. */
  recommend(key: string, replicas: number, at: number, windowMs: number): void {
    const memory = this.#of(key);
    const useful = memory.recommendations.filter((known) => known.at >= at - windowMs);
    memory.recommendations = [...useful, { replicas, at }];
  }

  scaled(key: string, change: number, at: number, { up, down }: Behavior): void {
    const memory = this.#of(key);
    // Rules of both directions look at both histories.
    const since = at - Math.max(longestPeriodMs(up), longestPeriodMs(down));
    const recent = (events: readonly ScaleEvent[]): ScaleEvent[] =>
      events.filter((event) => event.at >= since);
    memory.ups = recent(memory.ups);
    memory.downs = recent(memory.downs);
    if (change > 0) memory.ups = [...memory.ups, { change, at }];
    else memory.downs = [...memory.downs, { change: -change, at }];
  }

  selects(key: string, matches: LabelMatcher): void {
    this.#selectors.set(key, matches);
  }

  /** Keys of the autoscalers that count one of these pods of a namespace. */
  countersOf(namespace: string, pods: readonly Pod[]): string[] {
    const found = [...this.#selectors].filter(
      ([key, matches]) =>
        parseKeyString(key).namespace === namespace &&
        pods.some(({ metadata }) => matches(metadata.labels ?? {})),
    );
    return found.map(([key]) => key);
  }

  forget(key: string): void {
    this.#selectors.delete(key);
    this.#memories.delete(key);
  }

  #of(key: string): Memory {
    const known = this.#memories.get(key) ?? { recommendations: [], ups: [], downs: [] };
    this.#memories.set(key, known);
    return known;
  }
}
