import type { Clock, Logger } from '@orrery/component';
import type { AuthorizationAttributes, Authorizer, Decision } from '../filters/authorization.js';
import type { HookPoster, HookTarget } from '../webhooks/https-post.js';
import { TimedCache } from '../webhooks/timed-cache.js';

export interface WebhookAuthorizerOptions {
  readonly name: string;
  readonly target: HookTarget;
  readonly version: string;
  readonly timeoutMs: number;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** What an unreachable webhook means: leave it to the others, or refuse. */
  readonly onFailure: 'NoOpinion' | 'Deny';
}

export interface WebhookAuthorizerDeps {
  readonly poster: HookPoster;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ReviewStatus {
  readonly allowed?: boolean;
  readonly denied?: boolean;
  readonly reason?: string;
  readonly evaluationError?: string;
}

const NO_VALUE = new Set(['', undefined]);
const present = (fields: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !NO_VALUE.has(value)));

/** Longest request that is remembered (k8s plugin/pkg/authorizer/webhook:shouldCache). */
const CACHED_LENGTH = 10_000;

/** Asks another program by SubjectAccessReviews (k8s apiserver plugin/pkg/authorizer/webhook). */
export class WebhookAuthorizer implements Authorizer {
  private readonly cache: TimedCache<Decision>;

  constructor(
    private readonly options: WebhookAuthorizerOptions,
    private readonly deps: WebhookAuthorizerDeps,
  ) {
    this.cache = new TimedCache(deps.clock);
  }

  async authorize(attributes: AuthorizationAttributes): Promise<Decision> {
    const body = this.review(attributes);
    const known = this.cache.get(body);
    if (known) return known;
    try {
      const decision = toDecision(await this.ask(body));
      const { authorizedTtlMs, unauthorizedTtlMs } = this.options;
      if (body.length < CACHED_LENGTH)
        this.cache.set(body, decision, decision.allowed ? authorizedTtlMs : unauthorizedTtlMs);
      return decision;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.deps.logger.warn('authorization webhook failed', {
        webhook: this.options.name,
        reason: why,
      });
      if (this.options.onFailure === 'Deny') return { allowed: false, denied: true, reason: why };
      return { allowed: false, error: why };
    }
  }

  private async ask(body: string): Promise<ReviewStatus> {
    const { target, timeoutMs } = this.options;
    const { status, text } = await this.deps.poster.post(target, {
      body,
      timeoutMs,
      sendTimeout: true,
    });
    if (status !== 200 && status !== 201)
      throw new Error(`webhook authorizer responded with status ${status}`);
    const review = JSON.parse(text) as { readonly status?: ReviewStatus };
    return review.status ?? {};
  }

  private review({ user, info }: AuthorizationAttributes): string {
    const asked = info.isResource
      ? {
          resourceAttributes: present({
            namespace: info.namespace,
            verb: info.verb,
            group: info.group,
            version: info.version,
            resource: info.resource,
            subresource: info.subresource,
            name: info.name,
          }),
        }
      : { nonResourceAttributes: present({ path: info.path, verb: info.verb }) };
    return JSON.stringify({
      kind: 'SubjectAccessReview',
      apiVersion: `authorization.k8s.io/${this.options.version}`,
      metadata: {},
      spec: {
        ...asked,
        user: user.name,
        // v1beta1 calls them group.
        ...(user.groups.length > 0
          ? { [this.options.version === 'v1beta1' ? 'group' : 'groups']: user.groups }
          : {}),
        ...(user.extra ? { extra: user.extra } : {}),
        ...(user.uid ? { uid: user.uid } : {}),
      },
    });
  }
}

function toDecision({ allowed, denied, reason, evaluationError }: ReviewStatus): Decision {
  const why = reason ? { reason } : {};
  if (allowed && denied)
    return {
      allowed: false,
      denied: true,
      reason: 'webhook subject access review returned both allow and deny response',
    };
  if (denied) return { allowed: false, denied: true, ...why };
  if (!allowed && evaluationError && !reason) return { allowed: false, reason: evaluationError };
  return { allowed: allowed === true, ...why };
}
