import { AdmissionMetrics } from '../admission-metrics.js';
import type { KindDescriptor } from '@orrery/api';
import type { ServerServices } from '../../extensions.js';
import type { ClusterViews } from '../../live-view/cluster-views.js';
import { HookPoster } from '../../webhooks/https-post.js';
import { createServiceResolver } from '../../webhooks/service-resolver.js';
import { RequestMatcher } from '../matching/request-matcher.js';
import { MutatingWebhooks } from '../mutating-webhook/mutating-webhook.plugin.js';
import { ValidatingWebhooks } from '../validating-webhook/validating-webhook.plugin.js';
import { WebhookCaller } from './call-webhook.js';
import type { MatchConditionsEvaluator } from './webhook-matcher.js';
import { WebhookMatcher } from './webhook-matcher.js';
import { WebhookSource } from './webhook-source.js';

export interface Webhooks {
  readonly mutating: MutatingWebhooks;
  readonly validating: ValidatingWebhooks;
}

/** Kinds that are the same objects: other versions, and other groups with the same storage. */
export const equivalentsIn =
  (kinds: () => readonly KindDescriptor[]) =>
  (kind: KindDescriptor): readonly KindDescriptor[] =>
    kinds().filter((other) => other.storagePrefix === kind.storagePrefix);

/** Both webhook plugins, which share connections and matching. */
export function createWebhooks(
  services: ServerServices,
  views: ClusterViews,
  conditions: MatchConditionsEvaluator,
): Webhooks {
  const { clock, random, logger, signal } = services;
  const poster = new HookPoster(clock);
  signal.addEventListener('abort', () => {
    poster.close();
  });
  const requests = new RequestMatcher({
    namespaces: views.namespaces,
    equivalents: equivalentsIn(() => services.kinds()),
  });
  const shared = {
    matcher: new WebhookMatcher(requests, conditions),
    caller: new WebhookCaller({
      poster,
      random,
      clock,
      resolver: createServiceResolver(services),
      metrics: new AdmissionMetrics(services.metrics, clock),
    }),
    logger,
  };
  return {
    mutating: new MutatingWebhooks({
      ...shared,
      source: new WebhookSource(views.mutatingWebhooks),
    }),
    validating: new ValidatingWebhooks({
      ...shared,
      source: new WebhookSource(views.validatingWebhooks),
    }),
  };
}
