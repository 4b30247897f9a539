import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ForbiddenException, Inject, Injectable, UnauthorizedException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { KubeletAuth } from './kubelet-auth.js';

export const KUBELET_AUTH = Symbol('KubeletAuth');

/** Nobody unknown or unauthorized gets past here. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(@Inject(KUBELET_AUTH) private readonly auth: KubeletAuth) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const verdict = await this.auth.check(request.raw);
    if (verdict === 'unauthenticated') throw new UnauthorizedException('Unauthorized');
    if (verdict === 'forbidden') throw new ForbiddenException('Forbidden');
    return true;
  }
}
