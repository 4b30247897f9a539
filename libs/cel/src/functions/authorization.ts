import { isDns1123Label, isDns1123Subdomain } from '@orrery/apimachinery';
import { OpaqueValue } from '../values/value.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

/** What an expression asks the authorizer. */
export interface AuthorizationCheck {
  /** Set by `serviceAccount()`; else the request's user is meant. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly verb: string;
  readonly path?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface AuthorizationAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  /** Set when the authorizer failed. */
  readonly error?: string;
}

/** Answers at once; may throw to have the whole evaluation done again once the answer is known. */
export type Authorize = (check: AuthorizationCheck) => AuthorizationAnswer;

abstract class CheckValue extends OpaqueValue {
  constructor(
    readonly authorize: Authorize,
    readonly check: Omit<AuthorizationCheck, 'verb'> = {},
  ) {
    super();
  }

  equals(other: OpaqueValue): boolean {
    return other === this;
  }
}

/** The variable `authorizer`. */
export class AuthorizerValue extends CheckValue {
  readonly typeName = 'kubernetes.authorization.Authorizer';

  /** The variable `authorizer.requestResource`. */
  resource(check: Omit<AuthorizationCheck, 'verb'>): OpaqueValue {
    return new ResourceCheck(this.authorize, { ...this.check, ...check });
  }
}

class PathCheck extends CheckValue {
  readonly typeName = 'kubernetes.authorization.PathCheck';
}

class GroupCheck extends CheckValue {
  readonly typeName = 'kubernetes.authorization.GroupCheck';
}

class ResourceCheck extends CheckValue {
  readonly typeName = 'kubernetes.authorization.ResourceCheck';
}

class DecisionValue extends OpaqueValue {
  readonly typeName = 'kubernetes.authorization.Decision';

  constructor(readonly answer: AuthorizationAnswer) {
    super();
  }

  equals(other: OpaqueValue): boolean {
    return other === this;
  }
}

const decide = ({ authorize, check }: CheckValue, verb: string): DecisionValue =>
  new DecisionValue(authorize({ ...check, verb }));

const narrowed =
  (field: 'subresource' | 'namespace' | 'name' | 'fieldSelector' | 'labelSelector') =>
  ({ authorize, check }: ResourceCheck, value: string): ResourceCheck =>
    new ResourceCheck(authorize, { ...check, [field]: value });

function serviceAccount(
  { authorize }: AuthorizerValue,
  namespace: string,
  name: string,
): AuthorizerValue {
  if (isDns1123Subdomain(name).length > 0) return fail('Invalid service account name');
  if (isDns1123Label(namespace).length > 0) return fail('Invalid service account namespace');
  return new AuthorizerValue(authorize, { serviceAccount: { namespace, name } });
}

/** Kubernetes' authorizer library, with selectors. */
export const authorization: readonly Overload[] = [
  fn(
    'Authorizer.path(string): PathCheck',
    'authorizer_path',
    ({ authorize, check }: AuthorizerValue, path: string) =>
      path.trim() === ''
        ? fail('path must not be empty')
        : new PathCheck(authorize, { ...check, path }),
  ),
  fn(
    'Authorizer.group(string): GroupCheck',
    'authorizer_group',
    ({ authorize, check }: AuthorizerValue, group: string) =>
      new GroupCheck(authorize, { ...check, group }),
  ),
  fn(
    'Authorizer.serviceAccount(string, string): Authorizer',
    'authorizer_serviceaccount',
    serviceAccount,
  ),
  fn(
    'GroupCheck.resource(string): ResourceCheck',
    'groupcheck_resource',
    ({ authorize, check }: GroupCheck, resource: string) =>
      resource.trim() === ''
        ? fail('resource must not be empty')
        : new ResourceCheck(authorize, { ...check, resource }),
  ),
  fn(
    'ResourceCheck.subresource(string): ResourceCheck',
    'resourcecheck_subresource',
    narrowed('subresource'),
  ),
  fn(
    'ResourceCheck.namespace(string): ResourceCheck',
    'resourcecheck_namespace',
    narrowed('namespace'),
  ),
  fn('ResourceCheck.name(string): ResourceCheck', 'resourcecheck_name', narrowed('name')),
  fn(
    'ResourceCheck.fieldSelector(string): ResourceCheck',
    'authorizer_fieldselector',
    narrowed('fieldSelector'),
  ),
  fn(
    'ResourceCheck.labelSelector(string): ResourceCheck',
    'authorizer_labelselector',
    narrowed('labelSelector'),
  ),
  fn('PathCheck.check(string): Decision', 'pathcheck_check', decide),
  fn('ResourceCheck.check(string): Decision', 'resourcecheck_check', decide),
  fn(
    'Decision.errored(): bool',
    'decision_errored',
    (one: DecisionValue) => one.answer.error !== undefined,
  ),
  fn('Decision.error(): string', 'decision_error', (one: DecisionValue) => one.answer.error ?? ''),
  fn('Decision.allowed(): bool', 'decision_allowed', (one: DecisionValue) => one.answer.allowed),
  fn('Decision.reason(): string', 'decision_reason', (one: DecisionValue) => one.answer.reason),
];
