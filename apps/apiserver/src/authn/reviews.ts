import type { KubeObject } from '@orrery/apimachinery';
import { newBadRequest } from '@orrery/apimachinery';
import type { TokenReview, TokenReviewStatus } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { toTime } from '@orrery/component';
import type { UserInfo } from '@orrery/registry';
import { requestKindOf } from '../authz/access-reviews.js';
import type { RequestKindHandler } from '../subresources.js';
import type { TokenAuthenticator } from './token.js';

const GROUP = 'authentication.k8s.io';

const wireUser = (user: UserInfo): Record<string, unknown> => ({
  username: user.name,
  ...(user.uid ? { uid: user.uid } : {}),
  groups: user.groups,
  ...(user.extra ? { extra: user.extra } : {}),
});

async function review(
  tokens: TokenAuthenticator,
  token: string,
  audiences: readonly string[],
): Promise<TokenReviewStatus> {
  try {
    const found = await tokens.authenticateToken(token, audiences);
    if (!found) return { user: {}, error: 'invalid bearer token' };
    return {
      authenticated: true,
      user: wireUser(found.user) as NonNullable<TokenReviewStatus['user']>,
      audiences: [...found.audiences],
    };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { user: {}, error: `[invalid bearer token, ${text}]` };
  }
}

/** TokenReview (for kubelets and webhooks) and SelfSubjectReview (`kubectl auth whoami`). */
export function authenticationReviews(
  tokens: TokenAuthenticator,
  apiAudiences: readonly string[],
  clock: Clock,
): RequestKindHandler[] {
  return [
    {
      kind: requestKindOf(GROUP, 'TokenReview'),
      handle: async ({ body }) => {
        const asked = body as KubeObject as TokenReview;
        const { token, audiences } = asked.spec;
        if (!token) throw newBadRequest('token is required for TokenReview in authentication');
        const status = await review(tokens, token, audiences?.length ? audiences : apiAudiences);
        return { ...asked, status };
      },
    },
    {
      kind: requestKindOf(GROUP, 'SelfSubjectReview'),
      handle: ({ body, request }) =>
        Promise.resolve({
          ...body,
          metadata: { ...body.metadata, creationTimestamp: toTime(clock.now()) },
          status: { userInfo: wireUser(request.context.user) },
        }),
    },
  ];
}
