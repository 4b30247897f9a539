import { StatusError } from '@orrery/apimachinery';
import type { Clock, Metrics } from '@orrery/component';
import type { AdmissionAttributes, AdmissionPlugin, StepObserver } from '@orrery/registry';
import { noteWaited } from '../health/request-notes.js';

const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

type Step = 'admit' | 'validate';
type Observe = (seconds: number) => void;

/** One step of one plugin, with what notes its durations, by operation and outcome. */
interface MeasuredStep {
  readonly plugin: AdmissionPlugin;
  readonly type: Step;
  readonly observers: Map<string, Observe>;
}

/** How a call of a webhook ended. */
export interface WebhookOutcome {
  readonly name: string;
  readonly mutating: boolean;
  readonly operation: string;
  /** Of the request. */
  readonly context: object;
  /** Monotonic, in ms. */
  readonly startedAt: number;
  readonly error?: unknown;
  /** It could not be asked, or its answer makes no sense. */
  readonly isCallingFailure: boolean;
  /** The request goes on all the same (failurePolicy Ignore). */
  readonly failsOpen: boolean;
}

/** What the status of a failure to call counts as (k8s …/webhook/validating/dispatcher.go: "error calling webhook"). */
const CALLING_CODE = 400;

/** Upstream's metrics of admission by upstream's names (k8s apiserver pkg/admission/metrics/metrics.go). */
export class AdmissionMetrics {
  private readonly controller;
  private readonly steps;
  private readonly webhook;
  private readonly requests;
  private readonly rejections;
  private readonly failOpen;

  constructor(
    metrics: Metrics,
    private readonly clock: Clock,
  ) {
    const name = (suffix: string): string => `apiserver_admission_${suffix}`;
    const labels = ['name', 'type', 'operation', 'rejected'] as const;
    this.controller = metrics.talliedHistogram({
      name: name('controller_admission_duration_seconds'),
      help: 'Seconds that an admission plugin took.',
      buckets: BUCKETS,
    });
    this.steps = metrics.talliedHistogram({
      name: name('step_admission_duration_seconds'),
      help: 'Seconds that all admission plugins took.',
      buckets: BUCKETS,
    });
    this.webhook = metrics.histogram({
      name: name('webhook_admission_duration_seconds'),
      help: 'Seconds that an admission webhook took.',
      labels,
      buckets: [...BUCKETS, 10, 25],
    });
    this.requests = metrics.counter({
      name: name('webhook_request_total'),
      help: 'Calls of admission webhooks.',
      labels: ['name', 'type', 'operation', 'code', 'rejected'],
    });
    this.rejections = metrics.counter({
      name: name('webhook_rejection_count'),
      help: 'Requests that admission webhooks refused, or that were refused because of one.',
      labels: ['name', 'type', 'operation', 'error_type', 'rejection_code'],
    });
    this.failOpen = metrics.counter({
      name: name('webhook_fail_open_count'),
      help: 'Failed calls of admission webhooks that were let pass.',
      labels: ['name', 'type'],
    });
  }

  /** Measures the steps of a chain. */
  observer(): StepObserver {
    const observers = new Map<string, Observe>();
    return (type, operation) => {
      const startedAt = this.clock.monotonic();
      return (rejected) => {
        const key = `${type} ${operation} ${rejected}`;
        let observe = observers.get(key);
        if (!observe)
          observers.set(
            key,
            (observe = this.steps.of({ type, operation, rejected: String(rejected) })),
          );
        observe(this.#seconds(startedAt));
      };
    };
  }

  /** The same plugins, each measured. */
  measured(plugins: readonly AdmissionPlugin[]): AdmissionPlugin[] {
    return plugins.map((plugin) => {
      const step = (type: Step): NonNullable<AdmissionPlugin[Step]> => {
        const measured: MeasuredStep = { plugin, type, observers: new Map() };
        return (attributes) => this.#step(measured, attributes);
      };
      return {
        name: plugin.name,
        handles: (operation) => plugin.handles(operation),
        ...(plugin.admit ? { admit: step('admit') } : {}),
        ...(plugin.validate ? { validate: step('validate') } : {}),
      };
    });
  }

  /** Most plugins decide at once: neither a promise nor a closure is made for these. */
  #step(step: MeasuredStep, attributes: AdmissionAttributes): Promise<void> | void {
    const startedAt = this.clock.monotonic();
    const { operation } = attributes;
    let pending;
    try {
      pending = step.plugin[step.type]?.(attributes);
    } catch (error) {
      this.#note(step, operation, startedAt, true);
      throw error;
    }
    if (pending instanceof Promise)
      return pending.then(
        () => {
          this.#note(step, operation, startedAt, false);
        },
        (error: unknown) => {
          this.#note(step, operation, startedAt, true);
          throw error;
        },
      );
    this.#note(step, operation, startedAt, false);
  }

  #note(
    { plugin: { name }, type, observers }: MeasuredStep,
    operation: string,
    startedAt: number,
    rejected: boolean,
  ): void {
    const key = rejected ? `${operation} rejected` : operation;
    let observe = observers.get(key);
    if (!observe) {
      const labels = { name, type, operation, rejected: String(rejected) };
      observers.set(key, (observe = this.controller.of(labels)));
    }
    observe(this.#seconds(startedAt));
  }

  /** Counts one call of a webhook. */
  called(outcome: WebhookOutcome): void {
    const { name, mutating, operation, startedAt, error, isCallingFailure, failsOpen } = outcome;
    noteWaited(outcome.context, this.clock.monotonic() - startedAt);
    const labels = { name, type: mutating ? 'admit' : 'validating', operation };
    const isRefusal = error instanceof StatusError;
    const code = isCallingFailure ? CALLING_CODE : isRefusal ? error.code : error ? 0 : 200;
    const rejected = error !== undefined && !(isCallingFailure && failsOpen);
    this.webhook.observe({ ...labels, rejected: String(rejected) }, this.#seconds(startedAt));
    this.requests.inc({ ...labels, code: String(code), rejected: String(rejected) });
    if (error === undefined) return;
    if (!rejected) {
      this.failOpen.inc({ name, type: labels.type });
      return;
    }
    const type = isRefusal ? 'no_error' : 'apiserver_internal_error';
    this.rejections.inc({
      ...labels,
      error_type: isCallingFailure ? 'calling_webhook_error' : type,
      rejection_code: String(code),
    });
  }

  #seconds(startedAt: number): number {
    return (this.clock.monotonic() - startedAt) / 1000;
  }
}
