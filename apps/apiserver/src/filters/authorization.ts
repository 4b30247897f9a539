import type { UserInfo } from '@orrery/registry';
import type { RequestInfo } from './request-info.js';

export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly info: RequestInfo;
}

export interface Decision {
  readonly allowed: boolean;
  /** Text behind the colon of the 403 message, upstream's `reason`. */
  readonly reason?: string;
  /** No other authorizer is asked. */
  readonly denied?: boolean;
  /** The authorizer could not decide; 500 unless another allows. */
  readonly error?: string;
}

/** Says whether `user` may do what `info` asks. */
export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Promise<Decision> | Decision;
}

export const AUTHORIZER = Symbol('Authorizer');

export const alwaysAllow: Authorizer = { authorize: () => ({ allowed: true }) };
