import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { newUnauthorized } from '@orrery/apimachinery';
import type { UserInfo } from '@orrery/registry';
import { ApiServerOptions } from '../config/options.js';
import { ANONYMOUS, AUTHENTICATOR } from './authentication.js';
import type { AuthenticationInput, Authenticator } from './authentication.js';

/** Whether strangers are let in, and where alone; undefined = everywhere. */
export type AnonymousRule = Pick<ApiServerOptions, 'anonymousAuth'> &
  Partial<Pick<ApiServerOptions, 'anonymousPaths'>>;

function isOneOf(paths: readonly string[], { raw }: AuthenticationInput): boolean {
  const [path = ''] = (raw.url ?? '').split('?', 1);
  return paths.includes(path);
}

/** Who asks: credentials that are good, anonymous where that is allowed, or 401. */
export async function identify(
  authenticator: Authenticator,
  input: AuthenticationInput,
  { anonymousAuth, anonymousPaths }: AnonymousRule,
): Promise<UserInfo> {
  const user = await authenticator.authenticate(input);
  if (user) return user;
  if (anonymousAuth && (!anonymousPaths || isOneOf(anonymousPaths, input))) return ANONYMOUS;
  throw newUnauthorized();
}

@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
    @Inject(ApiServerOptions) private readonly options: ApiServerOptions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { api } = context.switchToHttp().getRequest<FastifyRequest>();
    if (!api) return false;
    api.setUser(await identify(this.authenticator, api, this.options));
    return true;
  }
}
