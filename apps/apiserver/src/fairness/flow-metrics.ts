import type { Clock, Metrics } from '@orrery/component';
import type { LevelState } from './level-state.js';
import type { Refusal } from './priority-level.js';

const LABELS = ['priority_level', 'flow_schema'] as const;
const SECONDS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];

interface Observers {
  readonly seats: (seats: number) => void;
  readonly took: (seconds: number) => void;
}

class Counts {
  dispatched = 0;
  executing = 0;
  seats = 0;
  waiting = 0;
  readonly rejected = new Map<Refusal, number>();
  /** Whether a request got its seats, and the seconds that it waited. */
  readonly waits: (readonly [boolean, number])[] = [];

  constructor(
    readonly level: string,
    readonly schema: string,
    private readonly observers: Observers,
  ) {}

  /** A request has come. */
  asked(seats: number): void {
    this.observers.seats(seats);
  }

  /** A request has got its seats; the answer gives them back. */
  began(release: () => void, seats: number, clock: Pick<Clock, 'monotonic'>): () => void {
    const startedAt = clock.monotonic();
    this.dispatched += 1;
    this.executing += 1;
    this.seats += seats;
    return () => {
      this.observers.took((clock.monotonic() - startedAt) / 1000);
      this.executing -= 1;
      this.seats -= seats;
      release();
    };
  }
}

/** Counts kept as plain numbers and put into metrics, by upstream's names, when these are asked for. */
export class FlowMetrics {
  private readonly counts = new Map<string, Counts>();
  private readonly seats: ReturnType<Metrics['talliedHistogram']>;
  private readonly took: ReturnType<Metrics['talliedHistogram']>;

  constructor(private readonly metrics: Metrics) {
    this.seats = metrics.talliedHistogram({
      name: 'apiserver_flowcontrol_work_estimated_seats',
      help: 'Seats that requests take.',
      buckets: [1, 2, 4, 10],
    });
    this.took = metrics.talliedHistogram({
      name: 'apiserver_flowcontrol_request_execution_seconds',
      help: 'Time that requests held their seats.',
      buckets: SECONDS,
    });
  }

  of(level: string, schema: string): Counts {
    let found = this.counts.get(schema);
    if (found?.level !== level) {
      const labels = { priority_level: level, flow_schema: schema };
      found = new Counts(level, schema, {
        seats: this.seats.of(labels),
        took: this.took.of({ ...labels, type: 'regular' }),
      });
      this.counts.set(schema, found);
    }
    return found;
  }

  publish(levels: readonly LevelState[], fraction: number): void {
    const { metrics } = this;
    const dispatched = metrics.counter({
      name: 'apiserver_flowcontrol_dispatched_requests_total',
      help: 'Requests that were given seats.',
      labels: LABELS,
    });
    const rejected = metrics.counter({
      name: 'apiserver_flowcontrol_rejected_requests_total',
      help: 'Requests that were turned away.',
      labels: [...LABELS, 'reason'],
    });
    const waited = metrics.histogram({
      name: 'apiserver_flowcontrol_request_wait_duration_seconds',
      help: 'Time that requests waited in queues.',
      labels: [...LABELS, 'execute'],
      buckets: SECONDS,
    });
    const now = (
      name: string,
      help: string,
    ): ReturnType<typeof metrics.gauge<(typeof LABELS)[number]>> =>
      metrics.gauge({ name: `apiserver_flowcontrol_current_${name}`, help, labels: LABELS });
    const executing = now('executing_requests', 'Requests that have their seats.');
    const seats = now('executing_seats', 'Seats that requests have.');
    const waiting = now('inqueue_requests', 'Requests that wait for seats.');
    for (const gauge of [executing, seats, waiting]) gauge.reset();
    for (const count of this.counts.values()) {
      const of = { priority_level: count.level, flow_schema: count.schema };
      executing.set(of, count.executing);
      seats.set(of, count.seats);
      waiting.set(of, count.waiting);
      dispatched.inc(of, count.dispatched);
      count.dispatched = 0;
      for (const [reason, times] of count.rejected) rejected.inc({ ...of, reason }, times);
      count.rejected.clear();
      for (const [execute, seconds] of count.waits.splice(0))
        waited.observe({ ...of, execute: String(execute) }, seconds);
    }
    publishLevels(metrics, levels);
    metrics
      .gauge({
        name: 'apiserver_flowcontrol_seat_fair_frac',
        help: 'Part of their targets that levels get.',
      })
      .set(fraction);
  }
}

interface LevelGauge {
  readonly help: string;
  readonly of: (state: LevelState) => number;
}

/** k8s apiserver util/flowcontrol/metrics/metrics.go */
const LEVEL_GAUGES: Readonly<Record<string, LevelGauge>> = {
  nominal_limit_seats: { help: 'Seats of a level.', of: ({ limits }) => limits.nominal },
  lower_limit_seats: { help: 'Seats that are not lent.', of: ({ limits }) => limits.lower },
  upper_limit_seats: { help: 'Seats with all borrowed ones.', of: ({ limits }) => limits.upper },
  current_limit_seats: { help: 'Seats for now.', of: ({ current }) => current },
  target_seats: { help: 'Seats that are aimed at.', of: ({ target }) => target },
  demand_seats_high_watermark: {
    help: 'Most seats that were wanted at once in the last period.',
    of: ({ demand }) => demand.highWatermark,
  },
  demand_seats_average: {
    help: 'Seats that were wanted in the last period, on average over time.',
    of: ({ demand }) => demand.average,
  },
  demand_seats_stdev: {
    help: 'Standard deviation of the seats that were wanted in the last period.',
    of: ({ demand }) => demand.deviation,
  },
  demand_seats_smoothed: {
    help: 'Seats that were wanted, smoothed.',
    of: ({ demand }) => demand.smoothed,
  },
};

function publishLevels(metrics: Metrics, levels: readonly LevelState[]): void {
  for (const [name, { help, of }] of Object.entries(LEVEL_GAUGES)) {
    const gauge = metrics.gauge({
      name: `apiserver_flowcontrol_${name}`,
      help,
      labels: ['priority_level'],
    });
    gauge.reset();
    for (const state of levels) gauge.set({ priority_level: state.name }, of(state));
  }
  const held = metrics.counter({
    name: 'apiserver_flowcontrol_request_dispatch_no_accommodation_total',
    help: 'Times that the next request had to wait for free seats.',
    labels: ['priority_level'],
  });
  for (const { name, level } of levels) {
    held.inc({ priority_level: name }, level.counts.held);
    level.counts.held = 0;
  }
}
