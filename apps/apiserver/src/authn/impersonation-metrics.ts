import type { Metrics } from '@orrery/component';
import { exponentialBuckets } from '@orrery/component';
import type { Authorizer } from '../filters/authorization.js';
import type { ImpersonationDeps } from './impersonation.js';

const BUCKETS = exponentialBuckets(0.001, 2, 15);

/** `user-info` of `impersonate:user-info` and `impersonate-on:user-info:list`; `legacy` of `impersonate`. */
function modeOf(verb: string): string {
  if (verb === 'impersonate') return 'legacy';
  return /^impersonate(?:-on)?:([^:]+)/.exec(verb)?.[1] ?? 'unknown';
}

/** Counts what an impersonator asks its authorizer, and how it ends (k8s apiserver pkg/endpoints/filters/impersonation/metrics). */
export function measuredImpersonation(
  metrics: Metrics,
  { authorizer, clock }: Omit<ImpersonationDeps, 'count'>,
): ImpersonationDeps {
  const labels = ['mode', 'decision'];
  const total = (name: string, help: string) =>
    metrics.counter({ name: `apiserver_impersonation_${name}`, help, labels });
  const duration = (name: string, help: string) =>
    metrics.histogram({ name: `apiserver_impersonation_${name}`, help, labels, buckets: BUCKETS });
  const attempts = total('attempts_total', 'Attempts to act as another, by mode and decision.');
  const seconds = duration(
    'attempts_duration_seconds',
    'Seconds that an attempt to act as another took.',
  );
  const questions = total(
    'authorization_attempts_total',
    'Questions to authorizers about acting as another, by mode and decision.',
  );
  const questionSeconds = duration(
    'authorization_attempts_duration_seconds',
    'Seconds that a question about acting as another took.',
  );
  const asked: Authorizer = {
    async authorize(attributes) {
      const startedAt = clock.monotonic();
      const decision = await authorizer.authorize(attributes);
      const of = {
        mode: modeOf(attributes.info.verb),
        decision: decision.allowed ? 'allowed' : 'denied',
      };
      questions.inc(of);
      questionSeconds.observe(of, (clock.monotonic() - startedAt) / 1000);
      return decision;
    },
  };
  return {
    authorizer: asked,
    clock,
    count: (mode, isAllowed, took) => {
      const of = { mode, decision: isAllowed ? 'allowed' : 'denied' };
      attempts.inc(of);
      seconds.observe(of, took);
    },
  };
}
