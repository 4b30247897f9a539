import { newInternalError } from '@orrery/apimachinery';
import type { AuthorizationAttributes, Authorizer, Decision } from '../filters/authorization.js';

/** system:masters may do everything (k8s apiserver DefaultBuildHandlerChain's privileged group). */
export const privilegedGroup: Authorizer = {
  authorize: ({ user }) => ({ allowed: user.groups.includes('system:masters') }),
};

/** The first authorizer that allows or denies decides; when none does, their reasons are joined. */
export class UnionAuthorizer implements Authorizer {
  constructor(private readonly members: readonly Authorizer[]) {}

  async authorize(attributes: AuthorizationAttributes): Promise<Decision> {
    const reasons: string[] = [];
    const errors: string[] = [];
    for (const member of this.members) {
      const decision = await member.authorize(attributes);
      if (decision.allowed || decision.denied) return decision;
      if (decision.reason) reasons.push(decision.reason);
      if (decision.error) errors.push(decision.error);
    }
    if (errors.length > 0) throw newInternalError(errors.join(', '));
    return reasons.length > 0 ? { allowed: false, reason: reasons.join('\n') } : { allowed: false };
  }
}
