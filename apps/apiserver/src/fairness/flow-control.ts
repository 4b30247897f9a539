import { mandatoryFlowSchemas, mandatoryPriorityLevels } from '@orrery/api';
import type { FlowSchema, PriorityLevelConfiguration } from '@orrery/api';
import type { Clock, Metrics } from '@orrery/component';
import type { ApiRequest } from '../filters/api-request.js';
import type { RequestInfo } from '../filters/request-info.js';
import type { LiveReader } from '../live-view/live-view.js';
import type { UserInfo } from '@orrery/registry';
import { noteWaited } from '../health/request-notes.js';
import { borrowSeats } from './borrow-seats.js';
import { estimateSeats, isWide } from './estimate-seats.js';
import type { StoredSize } from './estimate-seats.js';
import { FlowMetrics } from './flow-metrics.js';
import { LevelState, nameOf, sharesOf } from './level-state.js';
import type { Division } from './level-state.js';
import type { Limiter, Permission } from './limiter.js';
import { distinguisherOf, matchesSchema } from './match-request.js';
import type { Visitor } from './priority-level.js';

export interface FlowControlDeps {
  readonly schemas: Pick<LiveReader<FlowSchema>, 'values' | 'version'>;
  readonly levels: Pick<LiveReader<PriorityLevelConfiguration>, 'values' | 'version'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
  /** Seats of the whole server. */
  readonly seats: number;
  readonly maxWaitMs: number;
  /** What is stored of a request's resource; undefined = not known. */
  readonly sizeOf: (info: RequestInfo) => StoredSize | undefined;
}

interface Classified {
  readonly schema: FlowSchema;
  readonly schemaName: string;
  readonly state: LevelState;
}

/** Who takes seats, and why there. */
export interface Asker {
  readonly schema: string;
  readonly distinguisher: string;
  readonly user: string;
  readonly info: RequestInfo;
}

/** How long levels keep the seats that they were given. */
const PERIOD_MS = 10_000;

/** All of `found`, and those of `mandatory` whose names are not there. */
function completed<T extends { readonly metadata?: { readonly name?: string } }>(
  found: Iterable<T>,
  mandatory: readonly T[],
): T[] {
  const all = [...found];
  const names = new Set(all.map(nameOf));
  return [...all, ...mandatory.filter((one) => !names.has(nameOf(one)))];
}

/**
 * API priority and fairness: each request is classified by the first FlowSchema that matches it, and takes seats of
 * that schema's level, or waits for them, or is turned away (k8s apiserver util/flowcontrol/apf_controller.go).
 */
export class FlowControl implements Limiter {
  private readonly levels = new Map<string, LevelState>();
  private readonly metrics: FlowMetrics;
  private schemas: readonly Classified[] = [];
  private seen = [-1, -1];
  private fraction = 0;

  constructor(private readonly deps: FlowControlDeps) {
    this.metrics = new FlowMetrics(deps.metrics);
    this.lendAgain();
  }

  /** The schema and level of a request; the mandatory catch-all takes whatever no other schema does. */
  classify(who: UserInfo, info: RequestInfo): Classified | undefined {
    const { schemas, levels } = this.deps;
    if (this.seen[0] !== schemas.version || this.seen[1] !== levels.version) this.configure();
    return (
      this.schemas.find(({ schema }) => matchesSchema(schema, who, info)) ?? this.schemas.at(-1)
    );
  }

  enter(request: ApiRequest): Permission | Promise<Permission> {
    const { info, context, reply } = request;
    const { clock } = this.deps;
    const found = this.classify(context.user, info);
    if (!found) return () => undefined;
    const { schema, schemaName, state } = found;
    void reply
      .header('x-kubernetes-pf-flowschema-uid', schema.metadata?.uid ?? '')
      .header('x-kubernetes-pf-prioritylevel-uid', state.uid);
    const visitor = this.visitor(request, found);
    const count = this.metrics.of(state.name, schemaName);
    count.asked(visitor.seats);
    const release = state.level.enter(visitor);
    if (release) return count.began(release, visitor.seats, clock);
    return this.wait(request, found, visitor);
  }

  /** All levels, by their names. */
  states(): readonly LevelState[] {
    return [...this.levels.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  publish(): void {
    this.metrics.publish(this.states(), this.fraction);
  }

  /** Divides the seats among the levels by what these needed since the last time. */
  lend(): void {
    for (const { name, isQuiescing, level } of this.levels.values())
      if (isQuiescing && level.isIdle) this.levels.delete(name);
    this.fraction = borrowSeats([...this.levels.values()]);
    for (const state of this.levels.values()) state.apply();
  }

  private lendAgain(): void {
    const { clock, signal } = this.deps;
    const cancel = clock.after(
      PERIOD_MS,
      () => {
        signal.removeEventListener('abort', cancel);
        if (signal.aborted) return;
        this.lend();
        this.lendAgain();
      },
      { unref: true },
    );
    signal.addEventListener('abort', cancel, { once: true });
  }

  private visitor(request: ApiRequest, { schema, schemaName, state }: Classified): Visitor<Asker> {
    const { info, context } = request;
    const { clock, sizeOf } = this.deps;
    const seats = isWide(request) ? estimateSeats(request, sizeOf(info), state.widest) : 1;
    const distinguisher = distinguisherOf(schema, context.user, info);
    const about = { schema: schemaName, distinguisher, user: context.user.name, info };
    return { seats, arrivedAt: clock.now(), about };
  }

  private async wait(
    { context }: ApiRequest,
    { schemaName, state }: Classified,
    visitor: Visitor<Asker>,
  ): Promise<Permission> {
    const { clock, maxWaitMs } = this.deps;
    const startedAt = clock.monotonic();
    const { signal } = context;
    const count = this.metrics.of(state.name, schemaName);
    const flow = `${schemaName}\0${visitor.about.distinguisher}`;
    count.waiting += 1;
    const outcome = await state.level.wait(flow, visitor, { maxWaitMs, signal });
    count.waiting -= 1;
    noteWaited(context, clock.monotonic() - startedAt);
    const isIn = 'release' in outcome;
    count.waits.push([isIn, (clock.monotonic() - startedAt) / 1000]);
    if (isIn) return count.began(outcome.release, visitor.seats, clock);
    count.rejected.set(outcome.refused, (count.rejected.get(outcome.refused) ?? 0) + 1);
    return undefined;
  }

  private configure(): void {
    const { schemas, levels, seats, clock } = this.deps;
    this.seen = [schemas.version, levels.version];
    const known = completed(levels.values(), mandatoryPriorityLevels());
    const shares = known.reduce((sum, one) => sum + sharesOf(one), 0);
    const division: Division = { seats, shares: Math.max(1, shares) };
    for (const state of this.levels.values()) state.isQuiescing = true;
    for (const one of known) {
      const state = this.levels.get(nameOf(one));
      if (state) state.configure(one, division);
      else this.levels.set(nameOf(one), new LevelState(one, division, clock));
    }
    this.lend();
    this.schemas = completed(schemas.values(), mandatoryFlowSchemas())
      .sort(
        (a, b) =>
          (a.spec?.matchingPrecedence ?? 1000) - (b.spec?.matchingPrecedence ?? 1000) ||
          (nameOf(a) < nameOf(b) ? -1 : 1),
      )
      .flatMap((schema) => {
        const state = this.levels.get(schema.spec?.priorityLevelConfiguration.name ?? '');
        // A schema whose level is not there counts for nothing.
        if (!state || state.isQuiescing) return [];
        return [{ schema, schemaName: nameOf(schema), state }];
      });
  }
}
