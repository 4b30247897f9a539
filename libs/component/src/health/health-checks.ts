import type { Clock } from '../clock.js';
import type { Metrics } from '../metrics.js';

/** One named check; throws, or answers a text, when it fails. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<string | undefined> | string | undefined;
}

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz';

export interface HealthRequest {
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface HealthAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A check that passes while the process answers (k8s apiserver pkg/server/healthz:PingHealthz). */
export const named = (name: string): HealthCheck => ({ name, check: () => undefined });

/** That the process answers, and no more. */
export const PING: readonly HealthCheck[] = [named('ping')];

const BASE = 'http://localhost';

/** Path and query of a request's target; what is no URL asks for the root. */
export function toHealthRequest(target: string | undefined): HealthRequest {
  const { pathname: path, searchParams: query } = URL.parse(target ?? '/', BASE) ?? new URL(BASE);
  return { path, query };
}

interface Result {
  readonly name: string;
  readonly failure?: string;
  readonly isExcluded?: boolean;
}

const TEXT = 'text/plain; charset=utf-8';
const HEADERS = { 'x-content-type-options': 'nosniff' };

async function run(one: HealthCheck): Promise<Result> {
  const { name } = one;
  try {
    const failure = await one.check();
    return failure === undefined ? { name } : { name, failure };
  } catch (error) {
    return { name, failure: error instanceof Error ? error.message : String(error) };
  }
}

function lineOf({ name, failure, isExcluded = false }: Result): string {
  if (isExcluded) return `[+]${name} excluded: ok`;
  return failure === undefined ? `[+]${name} ok` : `[-]${name} failed: reason withheld`;
}

/** Timers run before answers are read: one that came while this program was held up is read in this time. */
const LATE_MS = 100;

/** A check that may take so long. */
export function within(clock: Clock, ms: number, work: () => Promise<unknown>): Promise<undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(new Error(`no answer within ${ms} ms`));
    };
    let cancel = clock.after(ms, () => {
      cancel = clock.after(LATE_MS, giveUp);
    });
    work()
      .then(() => {
        resolve(undefined);
      }, reject)
      .finally(() => {
        cancel();
      });
  });
}

/** A check that passes until so much time has gone by since the start (k8s apiserver pkg/server/healthz.go:delayedHealthCheck). */
export function afterGrace(one: HealthCheck, clock: Clock, graceMs: number): HealthCheck {
  if (graceMs === 0) return one;
  const end = clock.monotonic() + graceMs;
  const { name } = one;
  return { name, check: () => (clock.monotonic() < end ? undefined : one.check()) };
}

/** Counts how checks end, by upstream's names (k8s component-base metrics/prometheus/slis). */
class CheckMetrics {
  private readonly last;
  private readonly total;

  constructor(metrics: Metrics) {
    this.last = metrics.gauge({
      name: 'kubernetes_healthcheck',
      help: 'How a check ended last: 1 = well.',
      labels: ['name', 'type'],
    });
    this.total = metrics.counter({
      name: 'kubernetes_healthchecks_total',
      help: 'How checks ended.',
      labels: ['name', 'type', 'status'],
    });
  }

  ended({ name, failure }: Result, type: HealthEndpoint): void {
    this.last.set({ name, type }, failure === undefined ? 1 : 0);
    this.total.inc({ name, type, status: failure === undefined ? 'success' : 'error' });
  }
}

/** /healthz, /livez and /readyz, whole or by check (k8s apiserver pkg/server/healthz/healthz.go). */
export class HealthChecks {
  private readonly metrics: CheckMetrics | undefined;

  constructor(
    /** Endpoints that are absent are not served. */
    private readonly checks: Readonly<Partial<Record<HealthEndpoint, readonly HealthCheck[]>>>,
    metrics?: Metrics,
  ) {
    if (metrics) this.metrics = new CheckMetrics(metrics);
  }

  /** The paths that this answers. */
  paths(): string[] {
    return Object.entries(this.checks).flatMap(([endpoint, checks]) => [
      `/${endpoint}`,
      ...checks.map(({ name }) => `/${endpoint}/${name}`),
    ]);
  }

  async serve(request: HealthRequest): Promise<HealthAnswer | undefined> {
    const match = /^\/(healthz|livez|readyz)(?:\/(.+))?$/.exec(request.path.replace(/\/$/, ''));
    if (!match) return undefined;
    const endpoint = match[1] as HealthEndpoint;
    const all = this.checks[endpoint];
    if (!all) return undefined;
    if (match[2] !== undefined) return this.single(all, match[2]);
    const excluded = new Set(request.query.getAll('exclude'));
    const results = await Promise.all(
      all.map(async (one): Promise<Result> =>
        excluded.has(one.name) ? { name: one.name, isExcluded: true } : this.run(one, endpoint),
      ),
    );
    const unknown = [...excluded].filter((name) => !all.some((one) => one.name === name)).sort();
    const lines = [
      ...results.map(lineOf),
      ...(unknown.length > 0
        ? [
            `warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join()}`,
          ]
        : []),
    ];
    const ok = results.every(({ failure }) => failure === undefined);
    const text = `${[...lines, `${endpoint} check ${ok ? 'passed' : 'failed'}`].join('\n')}\n`;
    const isLong = !ok || request.query.has('verbose');
    return {
      status: ok ? 200 : 500,
      contentType: TEXT,
      headers: HEADERS,
      body: isLong ? text : 'ok',
    };
  }

  private async run(one: HealthCheck, endpoint: HealthEndpoint): Promise<Result> {
    const result = await run(one);
    this.metrics?.ended(result, endpoint);
    return result;
  }

  private async single(
    checks: readonly HealthCheck[],
    name: string,
  ): Promise<HealthAnswer | undefined> {
    const found = checks.find((one) => one.name === name);
    if (!found) return undefined;
    const { failure } = await run(found);
    return failure === undefined
      ? { status: 200, contentType: TEXT, headers: HEADERS, body: 'ok' }
      : {
          status: 500,
          contentType: TEXT,
          headers: HEADERS,
          body: `internal server error: ${failure}\n`,
        };
  }
}
