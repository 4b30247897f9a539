import type { Clock, Logger } from '@orrery/component';
import { ruleKey } from '@orrery/dataplane';
import type { FrontendProblem, RuleChanges, RuleSet, ServiceRule } from '@orrery/dataplane';

const RECONNECT_MS = 200;

/** What the programmer needs of the dataplane's client. */
export interface RuleSink {
  replace(set: RuleSet): Promise<readonly FrontendProblem[]>;
  change(node: string, changes: RuleChanges): Promise<readonly FrontendProblem[]>;
  untilGone(connected: () => void, signal: AbortSignal): Promise<void>;
}

/** Told of each programming; for metrics. */
export interface ProgrammingObserver {
  queued(): void;
  programmed(seconds: number, isWhole: boolean): void;
  failed(isWhole: boolean): void;
}

export interface ProgrammerOptions {
  readonly node: string;
  readonly sink: RuleSink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: ProgrammingObserver;
}

/**
 * Keeps the dataplane's rules of this node equal to the desired ones: the whole set when the dataplane has (re)started,
 * the changes after that. Changes that come while a request is under way go together in the next one.
 *
 *   disconnected --connected, first set complete--> PUT all --ok--> in step --dirty--> PATCH --ok--> in step
 *        ^                                            | failed                          | failed
 *        +--------------------------------------------+---------------------------------+
 */
export class Programmer {
  private readonly desired = new Map<string, readonly ServiceRule[]>();
  private readonly dirty = new Map<string, readonly ServiceRule[]>();
  private sources: readonly string[] = [];
  private isComplete = false;
  private isConnected = false;
  private mode: 'whole' | 'changes' = 'whole';
  private isSending = false;
  private readonly reported = new Set<string>();
  private minPeriodMs = 0;
  private lastSentAt = -Infinity;
  /** Since when something waits to be programmed; monotonic. */
  private waitingSince: number | undefined;
  private updatedAt = 0;

  constructor(private readonly options: ProgrammerOptions) {}

  /** Sets what one service wants; an empty list removes it. */
  set(service: string, rules: readonly ServiceRule[]): void {
    const before = this.desired.get(service) ?? [];
    if (JSON.stringify(before) === JSON.stringify(rules)) return;
    if (!this.dirty.has(service)) this.dirty.set(service, before);
    this.waitingSince ??= this.options.clock.monotonic();
    this.options.observer?.queued();
    if (rules.length > 0) this.desired.set(service, rules);
    else this.desired.delete(service);
    this.flush();
  }

  /** Everything that is wanted. */
  get rules(): readonly ServiceRule[] {
    return [...this.desired.values()].flat();
  }

  /** The addresses whose clients belong to this node. */
  setSources(sources: readonly string[]): void {
    if (sources.join() === this.sources.join()) return;
    this.sources = sources;
    this.mode = 'whole';
    this.flush();
  }

  /** Least time between the starts of two programmings. */
  setMinPeriod(ms: number): void {
    this.minPeriodMs = ms;
  }

  /** How long something has been waiting to be programmed; 0 when all is in force. */
  get waitingMs(): number {
    if (!this.isConnected && this.waitingSince === undefined)
      this.waitingSince = this.options.clock.monotonic();
    return this.waitingSince === undefined ? 0 : this.options.clock.monotonic() - this.waitingSince;
  }

  /** When rules were last programmed, in ms since the Unix epoch; 0 = never. */
  get lastUpdated(): number {
    return this.updatedAt;
  }

  /** Every service known at the start has been set: the first rule set may go out. */
  complete(): void {
    this.isComplete = true;
    this.flush();
  }

  /** Stays connected to the dataplane until the signal aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const { sink, clock, logger } = this.options;
    let wasRefused = false;
    while (!signal.aborted) {
      try {
        await sink.untilGone(() => {
          this.isConnected = true;
          this.mode = 'whole';
          wasRefused = false;
          this.flush();
        }, signal);
      } catch (error) {
        if (!signal.aborted && !wasRefused) logger.error('dataplane is not reachable', error);
        wasRefused = true;
      }
      this.isConnected = false;
      if (!signal.aborted) await clock.sleep(RECONNECT_MS, signal).catch(() => undefined);
    }
  }

  private flush(): void {
    if (this.isSending || !this.isComplete || !this.isConnected) return;
    if (this.mode === 'changes' && this.dirty.size === 0) return;
    this.isSending = true;
    void this.send().finally(() => {
      this.isSending = false;
      this.flush();
    });
  }

  private async send(): Promise<void> {
    const { sink, clock, logger, observer } = this.options;
    const early = this.lastSentAt + this.minPeriodMs - clock.monotonic();
    if (early > 0) await clock.sleep(early);
    const startedAt = clock.monotonic();
    this.lastSentAt = startedAt;
    const { mode } = this;
    const changes = this.takeChanges();
    this.mode = 'changes';
    try {
      this.report(await this.program(sink, mode, changes));
      this.updatedAt = clock.now();
      if (this.dirty.size === 0) this.waitingSince = undefined;
      observer?.programmed((clock.monotonic() - startedAt) / 1_000, mode === 'whole');
    } catch (error) {
      this.mode = 'whole';
      observer?.failed(mode === 'whole');
      logger.error('rules could not be programmed', error);
      await clock.sleep(RECONNECT_MS);
    }
  }

  private program(
    sink: RuleSink,
    mode: 'whole' | 'changes',
    changes: RuleChanges,
  ): Promise<readonly FrontendProblem[]> {
    const { node } = this.options;
    if (mode === 'changes') return sink.change(node, changes);
    return sink.replace({ node, sources: this.sources, rules: this.rules });
  }

  private takeChanges(): RuleChanges {
    const set: ServiceRule[] = [];
    const remove: string[] = [];
    for (const [service, before] of this.dirty) {
      const rules = this.desired.get(service) ?? [];
      const kept = new Set(rules.map(ruleKey));
      set.push(...rules);
      remove.push(...before.map(ruleKey).filter((key) => !kept.has(key)));
    }
    this.dirty.clear();
    return { set, remove };
  }

  /** Each frontend that cannot be served is logged once, until it is served. */
  private report(problems: readonly FrontendProblem[]): void {
    const now = new Set(problems.map((p) => `${p.rule} ${p.address}:${p.port}`));
    for (const text of this.reported) if (!now.has(text)) this.reported.delete(text);
    for (const { rule, address, port, message } of problems) {
      const text = `${rule} ${address}:${port}`;
      if (this.reported.has(text)) continue;
      this.reported.add(text);
      this.options.logger.warn('frontend cannot be served', {
        servicePortName: rule,
        address: `${address}:${port}`,
        reason: message,
      });
    }
  }
}
