import { mandatoryFlowSchemas, mandatoryPriorityLevels } from '@orrery/api';
import type { FlowSchema, PriorityLevelConfiguration } from '@orrery/api';
import type { Clock, Metrics } from '@orrery/component';
import type { ApiRequest } from '../filters/api-request.js';
import type { RequestInfo } from '../filters/request-info.js';
import type { LiveReader } from '../live-view/live-view.js';
import type { UserInfo } from '@orrery/registry';
import { noteWaited } from '../health/request-notes.js';
import { FlowMetrics } from './flow-metrics.js';
import { flowOf, matchesSchema } from './match-request.js';
import { PriorityLevel } from './priority-level.js';
import type { LevelLimits } from './priority-level.js';
import type { Limiter, Permission } from './limiter.js';

export interface FlowControlDeps {
  readonly schemas: Pick<LiveReader<FlowSchema>, 'values' | 'version'>;
  readonly levels: Pick<LiveReader<PriorityLevelConfiguration>, 'values' | 'version'>;
  readonly clock: Clock;
  /** Seats of the whole server. */
  readonly seats: number;
  readonly maxWaitMs: number;
}

interface Classified {
  readonly schema: FlowSchema;
  readonly schemaName: string;
  readonly levelName: string;
  readonly levelUid: string;
  readonly level: PriorityLevel;
}

const nameOf = ({ metadata }: { readonly metadata?: { readonly name?: string } }): string =>
  metadata?.name ?? '';

const sharesOf = ({ spec }: PriorityLevelConfiguration): number =>
  spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares ?? 0;

/** All of `found`, and those of `mandatory` whose names are not there. */
function completed<T extends { readonly metadata?: { readonly name?: string } }>(
  found: Iterable<T>,
  mandatory: readonly T[],
): T[] {
  const all = [...found];
  const names = new Set(all.map(nameOf));
  return [...all, ...mandatory.filter((one) => !names.has(nameOf(one)))];
}

function limitsOf({ spec }: PriorityLevelConfiguration, seats: number): LevelLimits {
  const queuing = spec?.limited?.limitResponse?.queuing;
  return {
    seats: spec?.type === 'Exempt' ? undefined : seats,
    queues: queuing ? (queuing.queues ?? 64) : 0,
    handSize: queuing?.handSize ?? 8,
    queueLength: queuing?.queueLengthLimit ?? 50,
  };
}

/**
 * API priority and fairness: each request is classified by the first FlowSchema that matches it, and takes a seat of
 * that schema's level, or waits for one, or is turned away (k8s apiserver util/flowcontrol/apf_controller.go).
 */
export class FlowControl implements Limiter {
  private readonly levels = new Map<string, PriorityLevel>();
  private readonly metrics = new FlowMetrics();
  private schemas: readonly Classified[] = [];
  private seen = [-1, -1];

  constructor(private readonly deps: FlowControlDeps) {}

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
    const found = this.classify(context.user, info);
    if (!found) return () => undefined;
    void reply
      .header('x-kubernetes-pf-flowschema-uid', found.schema.metadata?.uid ?? '')
      .header('x-kubernetes-pf-prioritylevel-uid', found.levelUid);
    const count = this.metrics.of(found.levelName, found.schemaName);
    const release = found.level.enter();
    if (release) return count.began(release);
    return this.wait(request, found);
  }

  private async wait(request: ApiRequest, found: Classified): Promise<Permission> {
    const { clock, maxWaitMs } = this.deps;
    const { context, info } = request;
    const flow = flowOf(found.schema, context.user, info);
    const startedAt = clock.monotonic();
    const { signal } = context;
    const count = this.metrics.of(found.levelName, found.schemaName);
    count.waiting += 1;
    const outcome = await found.level.wait(flow, { clock, maxWaitMs, signal });
    count.waiting -= 1;
    noteWaited(context, clock.monotonic() - startedAt);
    const isIn = 'release' in outcome;
    count.waits.push([isIn, (clock.monotonic() - startedAt) / 1000]);
    if (isIn) return count.began(outcome.release);
    count.rejected.set(outcome.refused, (count.rejected.get(outcome.refused) ?? 0) + 1);
    return undefined;
  }

  publish(metrics: Metrics): void {
    this.metrics.publish(metrics, this.levels);
  }

  private configure(): void {
    const { schemas, levels, seats } = this.deps;
    this.seen = [schemas.version, levels.version];
    const known = completed(levels.values(), mandatoryPriorityLevels());
    const total = Math.max(
      1,
      known.reduce((sum, one) => sum + sharesOf(one), 0),
    );
    const uids = new Map<string, string>();
    for (const one of known) {
      const limits = limitsOf(one, Math.ceil((seats * sharesOf(one)) / total));
      uids.set(nameOf(one), one.metadata?.uid ?? '');
      const level = this.levels.get(nameOf(one));
      if (level) level.configure(limits);
      else this.levels.set(nameOf(one), new PriorityLevel(limits));
    }
    this.schemas = completed(schemas.values(), mandatoryFlowSchemas())
      .sort(
        (a, b) =>
          (a.spec?.matchingPrecedence ?? 1000) - (b.spec?.matchingPrecedence ?? 1000) ||
          (nameOf(a) < nameOf(b) ? -1 : 1),
      )
      .flatMap((schema) => {
        const levelName = schema.spec?.priorityLevelConfiguration.name ?? '';
        const level = this.levels.get(levelName);
        const levelUid = uids.get(levelName);
        // A schema whose level is not there counts for nothing.
        if (!level || levelUid === undefined) return [];
        return [{ schema, schemaName: nameOf(schema), levelName, levelUid, level }];
      });
  }
}
