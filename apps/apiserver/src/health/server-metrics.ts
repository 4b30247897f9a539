import type { Server } from 'node:https';
import { KUBERNETES_MAJOR, KUBERNETES_MINOR, exponentialBuckets } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { Authenticator } from '../filters/authentication.js';
import type { Authorizer } from '../filters/authorization.js';

/** Tells of the metrics themselves (k8s component-base metrics/options.go): those that are not served; none are hidden. */
export function measureMetrics(metrics: Metrics, disabled: readonly string[]): void {
  const count = (name: string, help: string, value: number): void => {
    metrics.counter({ name, help }).inc(value);
  };
  count('disabled_metrics_total', 'Metrics that were asked not to be served.', disabled.length);
  count('hidden_metrics_total', 'Metrics that are not served for their age.', 0);
}

/** Tells the versions of the server and of what it serves (k8s component-base metrics/prometheus/compatversion). */
export function measureVersion(metrics: Metrics): void {
  const version = `${KUBERNETES_MAJOR}.${KUBERNETES_MINOR}`;
  const before = `${KUBERNETES_MAJOR}.${Number(KUBERNETES_MINOR) - 1}`;
  const info = { component: 'kube', binary: version, emulation: version, min_compat: before };
  metrics
    .gauge({
      name: 'version_info',
      help: 'Versions of the server, of what it serves and of its oldest peers; always 1.',
      labels: ['component', 'binary', 'emulation', 'min_compat'],
    })
    .set(info, 1);
}

/** What upstream shows of audit where nothing is audited. */
export function measureNoAudit(metrics: Metrics): void {
  const count = (name: string, help: string): void => {
    metrics.counter({ name: `apiserver_audit_${name}_total`, help }).inc(0);
  };
  count('event', 'Events of audit that were written.');
  count('requests_rejected', 'Requests that could not be audited and were refused.');
}

/** What upstream counts where it validates twice; there is nothing of the sort here. */
export function measureValidation(metrics: Metrics): void {
  const prefix = 'apiserver_validation_declarative_validation';
  const count = (name: string, help: string): void => {
    metrics.counter({ name: `${prefix}_${name}`, help }).inc(0);
  };
  count('mismatch_total', 'Findings of declarative validation that differ from the others.');
  count('panic_total', 'Declarative validations that failed.');
}

/** Counts connections whose handshake failed (k8s apiserver pkg/server/metrics). */
export function measureHandshakes(metrics: Metrics, server: Server): void {
  const failed = metrics.tally({
    name: 'apiserver_tls_handshake_errors_total',
    help: 'TLS handshakes that failed.',
  });
  const count = failed.of({});
  server.on('tlsClientError', () => {
    count();
  });
}

/** Upper bounds from none to a year (k8s apiserver pkg/authentication/request/x509). */
const LIFETIMES = [
  0, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 2_592_000, 7_776_000,
  15_552_000, 31_104_000,
];

/** What takes the seconds that certificates of clients have left. */
export const lifetimes = (metrics: Metrics): ((seconds: number) => void) =>
  metrics
    .talliedHistogram({
      name: 'apiserver_client_certificate_expiration_seconds',
      help: 'Seconds that the certificates of requests had left.',
      buckets: LIFETIMES,
    })
    .of({});

/** Users that have a label of their own (k8s apiserver pkg/endpoints/filters/metrics.go:compressUsername). */
const NAMED = new Set([
  'system:apiserver',
  'system:serviceaccount',
  'admin',
  'client',
  'kube_proxy',
  'kubelet',
]);

function compressUsername(name: string): string {
  if (NAMED.has(name)) return name;
  if (name.startsWith('system:serviceaccount:')) return 'system:serviceaccount';
  return name.includes('@') ? 'email_id' : 'other';
}

const ms = (
  metrics: Metrics,
  name: string,
  help: string,
): ReturnType<Metrics['talliedHistogram']> =>
  metrics.talliedHistogram({ name, help, buckets: BUCKETS });

/** Exponential, from 1 ms (k8s apiserver pkg/endpoints/filters/metrics.go). */
const BUCKETS = exponentialBuckets(0.001, 2, 15);

/** Counts what ended, and how long it took; the labels of each result are looked up once. */
function countedByResult(
  attempts: ReturnType<Metrics['tally']>,
  durations: ReturnType<Metrics['talliedHistogram']>,
): (result: string, seconds: number) => void {
  const known = new Map<string, (seconds: number) => void>();
  return (result, seconds) => {
    let note = known.get(result);
    if (!note) {
      const count = attempts.of({ result });
      const observe = durations.of({ result });
      note = (took) => {
        count();
        observe(took);
      };
      known.set(result, note);
    }
    note(seconds);
  };
}

/** Follows work that may be done at once or later; `note` is told what it gave, or that it failed. */
function followed<T>(
  work: () => T | Promise<T>,
  note: (value: T | undefined, failed: boolean) => void,
): T | Promise<T> {
  let pending;
  try {
    pending = work();
  } catch (error) {
    note(undefined, true);
    throw error;
  }
  if (!(pending instanceof Promise)) {
    note(pending, false);
    return pending;
  }
  return pending.then(
    (value) => {
      note(value, false);
      return value;
    },
    (error: unknown) => {
      note(undefined, true);
      throw error;
    },
  );
}

interface Clocked {
  monotonic(): number;
}

/** The same authenticator; who comes and how it ends is counted. */
export function measuredAuthenticator(
  metrics: Metrics,
  inner: Authenticator,
  clock: Clocked,
): Authenticator {
  const attempts = metrics.tally({
    name: 'authentication_attempts',
    help: 'Attempts to authenticate, by result.',
  });
  const seconds = ms(
    metrics,
    'authentication_duration_seconds',
    'Seconds that authentication took, by result.',
  );
  const users = metrics.tally({
    name: 'authenticated_user_requests',
    help: 'Requests by who sent them.',
  });
  const ended = countedByResult(attempts, seconds);
  const byName = new Map<string, () => void>();
  return {
    authenticate: (input) => {
      const startedAt = clock.monotonic();
      return followed(
        () => inner.authenticate(input),
        (user, failed) => {
          const result = failed ? 'error' : user ? 'success' : 'failure';
          ended(result, (clock.monotonic() - startedAt) / 1000);
          if (!user) return;
          const username = compressUsername(user.name);
          let count = byName.get(username);
          if (!count) byName.set(username, (count = users.of({ username })));
          count();
        },
      );
    },
  };
}

/** The same authorizer; what it decides is counted. */
export function measuredAuthorizer(
  metrics: Metrics,
  inner: Authorizer,
  clock: Clocked,
): Authorizer {
  const attempts = metrics.tally({
    name: 'authorization_attempts_total',
    help: 'Decisions of the authorizers, by result.',
  });
  const seconds = ms(
    metrics,
    'authorization_duration_seconds',
    'Seconds that a decision took, by result.',
  );
  const ended = countedByResult(attempts, seconds);
  return {
    authorize: (asked) => {
      const startedAt = clock.monotonic();
      return followed(
        () => inner.authorize(asked),
        (decision, failed) => {
          const refused = decision?.denied === true ? 'denied' : 'no-opinion';
          const result = failed ? 'error' : decision?.allowed ? 'allowed' : refused;
          ended(result, (clock.monotonic() - startedAt) / 1000);
        },
      );
    },
  };
}
