import { createHash } from 'node:crypto';
import type { Clock, Logger } from '@orrery/component';
import type { HookPoster, HookTarget } from '../webhooks/https-post.js';
import { TimedCache } from '../webhooks/timed-cache.js';
import type { TokenAuthenticator, TokenUser } from './token.js';

export interface WebhookTokenOptions {
  readonly target: HookTarget;
  readonly version: string;
  readonly cacheTtlMs: number;
}

export interface WebhookTokenDeps {
  readonly poster: HookPoster;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly audiences?: readonly string[];
  readonly error?: string;
}

const TIMEOUT_MS = 30_000;
const RETRIES_MS = [0, 500, 1500];

/** Asks another program by TokenReviews who a token belongs to (k8s apiserver plugin/pkg/authenticator/token/webhook). */
export class WebhookTokenAuthenticator implements TokenAuthenticator {
  private readonly cache: TimedCache<{ readonly found: TokenUser | undefined }>;

  constructor(
    private readonly options: WebhookTokenOptions,
    private readonly deps: WebhookTokenDeps,
  ) {
    this.cache = new TimedCache(deps.clock);
  }

  async authenticateToken(
    token: string,
    audiences: readonly string[],
  ): Promise<TokenUser | undefined> {
    // The token itself is not kept.
    const key = createHash('sha256').update(`${audiences.join()} ${token}`).digest('base64');
    const known = this.cache.get(key);
    if (known) return known.found;
    const found = toUser(await this.ask(token, audiences), audiences);
    this.cache.set(key, { found }, this.options.cacheTtlMs);
    return found;
  }

  private async ask(token: string, audiences: readonly string[]): Promise<ReviewStatus> {
    const { poster, clock, logger } = this.deps;
    const body = JSON.stringify({
      kind: 'TokenReview',
      apiVersion: `authentication.k8s.io/${this.options.version}`,
      metadata: {},
      spec: { token, ...(audiences.length > 0 ? { audiences } : {}) },
    });
    let failure: unknown;
    for (const waitMs of RETRIES_MS) {
      if (waitMs > 0) await clock.sleep(waitMs);
      try {
        const answer = await poster.post(this.options.target, { body, timeoutMs: TIMEOUT_MS });
        if (answer.status < 500) {
          if (answer.status !== 200 && answer.status !== 201)
            throw new Error(`token webhook responded with status ${answer.status}`);
          return (JSON.parse(answer.text) as { status?: ReviewStatus }).status ?? {};
        }
        failure = new Error(`token webhook responded with status ${answer.status}`);
      } catch (error) {
        failure = error;
      }
    }
    const reason = failure instanceof Error ? failure.message : String(failure);
    logger.warn('token webhook failed', { reason });
    throw failure as Error;
  }
}

function toUser(
  { authenticated, user, audiences, error }: ReviewStatus,
  asked: readonly string[],
): TokenUser | undefined {
  if (!authenticated) {
    if (error) throw new Error(error);
    return undefined;
  }
  if (!user?.username) return undefined;
  const good = audiences?.length ? asked.filter((one) => audiences.includes(one)) : asked;
  if (asked.length > 0 && good.length === 0) return undefined;
  return {
    user: {
      name: user.username,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: user.groups ?? [],
      ...(user.extra ? { extra: user.extra } : {}),
    },
    audiences: good,
  };
}
