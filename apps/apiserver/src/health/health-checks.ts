import type { ApiRequest, ApiResponse } from '../filters/api-request.js';

/** One named check; throws, or answers a text, when it fails. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<string | undefined> | string | undefined;
}

type Endpoint = 'healthz' | 'livez' | 'readyz';

const TEXT = 'text/plain; charset=utf-8';

async function run(one: HealthCheck): Promise<{ name: string; failure?: string }> {
  const { name } = one;
  try {
    const failure = await one.check();
    return failure === undefined ? { name } : { name, failure };
  } catch (error) {
    return { name, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** /healthz, /livez and /readyz, whole or by check (k8s apiserver pkg/server/healthz/healthz.go). */
export class HealthChecks {
  constructor(private readonly checks: Readonly<Record<Endpoint, readonly HealthCheck[]>>) {}

  async serve(request: ApiRequest): Promise<ApiResponse | undefined> {
    const match = /^\/(healthz|livez|readyz)(?:\/(.+))?$/.exec(request.path.replace(/\/$/, ''));
    if (!match) return undefined;
    const endpoint = match[1] as Endpoint;
    const all = this.checks[endpoint];
    if (match[2] !== undefined) {
      const single = all.find(({ name }) => name === match[2]);
      if (!single) return undefined;
      const { failure } = await run(single);
      return failure === undefined
        ? { status: 200, contentType: TEXT, body: 'ok' }
        : { status: 500, contentType: TEXT, body: `internal server error: ${failure}\n` };
    }
    const excluded = new Set(request.query.getAll('exclude'));
    const results = await Promise.all(all.filter(({ name }) => !excluded.has(name)).map(run));
    const lines = results.map(({ name, failure }) =>
      failure === undefined ? `[+]${name} ok` : `[-]${name} failed: reason withheld`,
    );
    const ok = results.every(({ failure }) => failure === undefined);
    const verdict = `${endpoint} check ${ok ? 'passed' : 'failed'}`;
    if (!ok) return { status: 500, contentType: TEXT, body: `${[...lines, verdict].join('\n')}\n` };
    const body = request.query.has('verbose') ? `${[...lines, verdict].join('\n')}\n` : 'ok';
    return { status: 200, contentType: TEXT, body };
  }
}
