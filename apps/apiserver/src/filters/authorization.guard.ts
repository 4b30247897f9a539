import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { StatusError, toGroupResourceString } from '@orrery/apimachinery';
import type { RequestContext, UserInfo } from '@orrery/registry';
import { AUTHORIZER } from './authorization.js';
import type { Authorizer } from './authorization.js';
import type { RequestInfo } from './request-info.js';

/** k8s apiserver pkg/endpoints/handlers/responsewriters/errors.go:forbiddenMessage. */
function forbidden(user: UserInfo, info: RequestInfo, reason: string): StatusError {
  const who = `User ${JSON.stringify(user.name)}`;
  if (!info.isResource) {
    const text = `${who} cannot ${info.verb} path ${JSON.stringify(info.path)}`;
    return new StatusError(403, 'Forbidden', `forbidden: ${text}${reason ? `: ${reason}` : ''}`, {
      details: {},
    });
  }
  const gr = { group: info.group, resource: info.resource };
  const resource = info.subresource ? `${info.resource}/${info.subresource}` : info.resource;
  const where = info.namespace
    ? `in the namespace ${JSON.stringify(info.namespace)}`
    : 'at the cluster scope';
  const text = `${who} cannot ${info.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(info.group)} ${where}`;
  const subject = toGroupResourceString(gr) + (info.name ? ` ${JSON.stringify(info.name)}` : '');
  return new StatusError(
    403,
    'Forbidden',
    `${subject} is forbidden: ${text}${reason ? `: ${reason}` : ''}`,
    {
      details: {
        ...(info.name ? { name: info.name } : {}),
        ...(info.group ? { group: info.group } : {}),
        kind: info.resource,
      },
    },
  );
}

/** Throws 403 in upstream's words unless `user` may do what `info` asks. */
export async function checkAllowed(
  authorizer: Authorizer,
  user: UserInfo,
  info: RequestInfo,
  context?: Pick<RequestContext, 'annotate'>,
): Promise<void> {
  const decision = await authorizer.authorize({ user, info });
  context?.annotate?.('authorization.k8s.io/decision', decision.allowed ? 'allow' : 'forbid');
  context?.annotate?.('authorization.k8s.io/reason', decision.reason ?? '');
  if (!decision.allowed) throw forbidden(user, info, decision.reason ?? '');
}

@Injectable()
export class AuthorizationGuard implements CanActivate {
  constructor(@Inject(AUTHORIZER) private readonly authorizer: Authorizer) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { api } = context.switchToHttp().getRequest<FastifyRequest>();
    if (!api) return false;
    await checkAllowed(this.authorizer, api.context.user, api.info, api.context);
    return true;
  }
}
