import type { ArgumentsHost, CanActivate, ExceptionFilter, ExecutionContext } from '@nestjs/common';
import { Catch, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KubeletAuth, Refusal } from './kubelet-auth.js';
import { sendText } from './send-text.js';

export const KUBELET_AUTH = Symbol('KubeletAuth');

class RefusedError extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.text);
  }
}

/** Nobody unknown or unauthorized gets past here. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(@Inject(KUBELET_AUTH) private readonly auth: KubeletAuth) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const refusal = await this.auth.check(request.raw);
    if (refusal) throw new RefusedError(refusal);
    return true;
  }
}

/** Refusals are plain text, as upstream's, not an object of the API. */
@Catch(RefusedError)
export class RefusalFilter implements ExceptionFilter<RefusedError> {
  catch({ refusal: { code, text } }: RefusedError, host: ArgumentsHost): void {
    sendText(host.switchToHttp().getResponse<FastifyReply>(), code, text);
  }
}
