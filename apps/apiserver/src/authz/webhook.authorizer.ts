import type { Clock, Logger } from '@orrery/component';
import type { AuthorizationAttributes, Authorizer, Decision } from '../filters/authorization.js';
import type { Expression } from '../expressions/expression.js';
import { ExpressionError } from '../expressions/expression.js';
import type { HookPoster, HookTarget } from '../webhooks/https-post.js';
import { TimedCache } from '../webhooks/timed-cache.js';
import { selectorAttributes } from './request-selectors.js';

export interface WebhookAuthorizerOptions {
  readonly name: string;
  readonly target: HookTarget;
  readonly version: string;
  readonly timeoutMs: number;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** What an unreachable webhook means: leave it to the others, or refuse. */
  readonly onFailure: 'NoOpinion' | 'Deny';
  /** It is asked only where all are true. */
  readonly conditions?: readonly Expression[];
}

export interface WebhookAuthorizerDeps {
  readonly poster: HookPoster;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The spec of a SubjectAccessReview of v1. */
interface AccessSpec {
  readonly resourceAttributes?: Readonly<Record<string, unknown>>;
  readonly nonResourceAttributes?: Readonly<Record<string, string>>;
  readonly user: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly uid?: string;
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
    const matched = this.match(attributes);
    if (matched !== true) return matched;
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

  /** Whether the webhook is to be asked; otherwise the decision (k8s apiserver plugin/pkg/authorizer/webhook/webhook.go:match). */
  private match(attributes: AuthorizationAttributes): true | Decision {
    const { conditions = [], onFailure, name } = this.options;
    if (conditions.length === 0) return true;
    const request = wholeSpec(attributes);
    const errors: string[] = [];
    for (const condition of conditions) {
      try {
        if (condition.evaluate({ request }) !== true) return { allowed: false };
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        errors.push(error.message);
      }
    }
    if (errors.length === 0) return true;
    const reason = errors.join(', ');
    this.deps.logger.warn('match condition of an authorization webhook failed', {
      webhook: name,
      reason,
    });
    return onFailure === 'Deny' ? { allowed: false, denied: true, reason } : { allowed: false };
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

  private review(attributes: AuthorizationAttributes): string {
    const { groups, ...spec } = this.spec(attributes);
    // v1beta1 calls them group.
    const name = this.options.version === 'v1beta1' ? 'group' : 'groups';
    return JSON.stringify({
      kind: 'SubjectAccessReview',
      apiVersion: `authorization.k8s.io/${this.options.version}`,
      metadata: {},
      spec: { ...spec, ...(groups ? { [name]: groups } : {}) },
    });
  }

  private spec({ user, info }: AuthorizationAttributes): AccessSpec {
    const asked = info.isResource
      ? {
          resourceAttributes: {
            ...present({
              namespace: info.namespace,
              verb: info.verb,
              group: info.group,
              version: info.version,
              resource: info.resource,
              subresource: info.subresource,
              name: info.name,
            }),
            ...selectorAttributes(info),
          },
        }
      : { nonResourceAttributes: present({ path: info.path, verb: info.verb }) };
    return {
      ...asked,
      user: user.name,
      ...(user.groups.length > 0 ? { groups: user.groups } : {}),
      ...(user.extra ? { extra: user.extra } : {}),
      ...(user.uid ? { uid: user.uid } : {}),
    };
  }
}

/** With every field, even those that are left out where they are empty (k8s apiserver pkg/authorization/cel/matcher.go). */
function wholeSpec({
  user,
  info,
}: AuthorizationAttributes): Required<
  Omit<AccessSpec, 'resourceAttributes' | 'nonResourceAttributes'>
> {
  const { namespace, verb, group, version, resource, subresource, name, path } = info;
  return {
    ...(info.isResource
      ? {
          resourceAttributes: {
            namespace,
            verb,
            group,
            version,
            resource,
            subresource,
            name,
            ...selectorAttributes(info),
          },
        }
      : { nonResourceAttributes: { path, verb } }),
    user: user.name,
    groups: user.groups,
    extra: user.extra ?? {},
    uid: user.uid ?? '',
  };
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
