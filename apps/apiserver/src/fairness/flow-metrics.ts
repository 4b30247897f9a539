import type { Metrics } from '@orrery/component';
import type { PriorityLevel, Refusal } from './priority-level.js';

class Counts {
  dispatched = 0;
  executing = 0;
  waiting = 0;
  readonly rejected = new Map<Refusal, number>();
  /** Whether a request got its seat, and the seconds that it waited. */
  readonly waits: (readonly [boolean, number])[] = [];

  constructor(
    readonly level: string,
    readonly schema: string,
  ) {}

  /** A request has got its seat; the answer gives it back. */
  began(release: () => void): () => void {
    this.dispatched += 1;
    this.executing += 1;
    return () => {
      this.executing -= 1;
      release();
    };
  }
}

/** Counts kept as plain numbers and put into metrics, by upstream's names, when these are asked for. */
export class FlowMetrics {
  private readonly counts = new Map<string, Counts>();

  of(level: string, schema: string): Counts {
    let found = this.counts.get(schema);
    if (found?.level !== level) {
      found = new Counts(level, schema);
      this.counts.set(schema, found);
    }
    return found;
  }

  publish(metrics: Metrics, levels: ReadonlyMap<string, PriorityLevel>): void {
    const labels = ['priority_level', 'flow_schema'] as const;
    const dispatched = metrics.counter({
      name: 'apiserver_flowcontrol_dispatched_requests_total',
      help: 'Requests that were given a seat.',
      labels,
    });
    const rejected = metrics.counter({
      name: 'apiserver_flowcontrol_rejected_requests_total',
      help: 'Requests that were turned away.',
      labels: [...labels, 'reason'],
    });
    const waited = metrics.histogram({
      name: 'apiserver_flowcontrol_request_wait_duration_seconds',
      help: 'Time that requests waited in queues.',
      labels: [...labels, 'execute'],
      buckets: [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
    });
    const now = (
      name: string,
      help: string,
    ): ReturnType<typeof metrics.gauge<(typeof labels)[number]>> =>
      metrics.gauge({ name: `apiserver_flowcontrol_current_${name}`, help, labels });
    const executing = now('executing_requests', 'Requests that have a seat.');
    const seats = now('executing_seats', 'Seats that requests have: one each.');
    const waiting = now('inqueue_requests', 'Requests that wait for a seat.');
    for (const gauge of [executing, seats, waiting]) gauge.reset();
    for (const count of this.counts.values()) {
      const of = { priority_level: count.level, flow_schema: count.schema };
      executing.set(of, count.executing);
      seats.set(of, count.executing);
      waiting.set(of, count.waiting);
      dispatched.inc(of, count.dispatched);
      count.dispatched = 0;
      for (const [reason, times] of count.rejected) rejected.inc({ ...of, reason }, times);
      count.rejected.clear();
      for (const [execute, seconds] of count.waits.splice(0))
        waited.observe({ ...of, execute: String(execute) }, seconds);
    }
    publishLevels(metrics, levels);
  }
}

function publishLevels(metrics: Metrics, levels: ReadonlyMap<string, PriorityLevel>): void {
  const gauge = (name: string, help: string): ReturnType<typeof metrics.gauge<'priority_level'>> =>
    metrics.gauge({ name: `apiserver_flowcontrol_${name}`, help, labels: ['priority_level'] });
  const limit = gauge('nominal_limit_seats', 'Seats of a level.');
  for (const [name, level] of levels) {
    const of = { priority_level: name };
    limit.set(of, level.seats ?? 0);
  }
}
