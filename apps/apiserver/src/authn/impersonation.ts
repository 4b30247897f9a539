import type { IncomingMessage } from 'node:http';
import { StatusError } from '@orrery/apimachinery';
import type { UserInfo } from '@orrery/registry';
import { forbiddenBy, resourceAttributes } from '../authz/attributes.js';
import { ANONYMOUS } from '../filters/authentication.js';
import type { AuthenticationInput, Authenticator } from '../filters/authentication.js';
import type { Authorizer } from '../filters/authorization.js';
import type { RequestInfo } from '../filters/request-info.js';

const EXTRA = 'impersonate-extra-';

const actingFor = new WeakMap<UserInfo, UserInfo>();
const askedBy = new WeakMap<IncomingMessage, UserInfo>();

/** Who acts as `user`; undefined when it is the user itself. */
export const requestorOf = (user: UserInfo): UserInfo | undefined => actingFor.get(user);

/** Who wanted to act as another in this request, whether allowed or not. */
export const impersonatorOf = (raw: IncomingMessage): UserInfo | undefined => askedBy.get(raw);

/** All values of a header that may be repeated; node joins repeated unknown headers with ", ". */
function valuesOf(raw: IncomingMessage, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < raw.rawHeaders.length; i += 2)
    if (raw.rawHeaders[i]?.toLowerCase() === name) values.push(raw.rawHeaders[i + 1] ?? '');
  return values;
}

function extrasOf(raw: IncomingMessage): Map<string, string[]> {
  const extras = new Map<string, string[]>();
  for (const header of Object.keys(raw.headers))
    if (header.startsWith(EXTRA))
      extras.set(decodeURIComponent(header.slice(EXTRA.length)), valuesOf(raw, header));
  return extras;
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

function groupsFor(name: string, asked: readonly string[]): string[] {
  const account = SERVICE_ACCOUNT.exec(name);
  const implied =
    account && asked.length === 0
      ? ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`]
      : [];
  const groups = [...asked, ...implied];
  const all =
    name === 'system:anonymous' || groups.includes('system:unauthenticated')
      ? 'system:unauthenticated'
      : 'system:authenticated';
  return groups.includes(all) ? groups : [...groups, all];
}

function userQuestion(name: string): RequestInfo {
  const [, namespace, account] = SERVICE_ACCOUNT.exec(name) ?? [];
  return namespace && account
    ? resourceAttributes({
        verb: 'impersonate',
        resource: 'serviceaccounts',
        namespace,
        name: account,
      })
    : resourceAttributes({ verb: 'impersonate', resource: 'users', name });
}

/** Lets a user act as another when authorized to impersonate that user, each group, uid and extra (k8s endpoints/filters/impersonation.go). */
export class ImpersonatingAuthenticator implements Authenticator {
  constructor(
    private readonly inner: Authenticator,
    private readonly authorizer: Authorizer,
  ) {}

  async authenticate(input: AuthenticationInput): Promise<UserInfo | undefined> {
    const requestor = await this.inner.authenticate(input);
    const { raw } = input;
    const [name] = valuesOf(raw, 'impersonate-user');
    const groups = valuesOf(raw, 'impersonate-group');
    const [uid] = valuesOf(raw, 'impersonate-uid');
    const extras = extrasOf(raw);
    if (!name) {
      if (groups.length > 0 || uid || extras.size > 0)
        throw new StatusError(
          500,
          'InternalError',
          `Internal error occurred: requested [{UserName:${uid ?? ''}}] without impersonating a user`,
        );
      return requestor;
    }
    const questions: RequestInfo[] = [userQuestion(name)];
    for (const group of groups)
      questions.push(resourceAttributes({ verb: 'impersonate', resource: 'groups', name: group }));
    const authentication = { verb: 'impersonate', group: 'authentication.k8s.io' };
    if (uid) questions.push(resourceAttributes({ ...authentication, resource: 'uids', name: uid }));
    for (const [key, values] of extras)
      for (const value of values)
        questions.push(
          resourceAttributes({
            ...authentication,
            resource: 'userextras',
            subresource: key,
            name: value,
          }),
        );
    const asking = requestor ?? ANONYMOUS;
    askedBy.set(raw, asking);
    await this.#requireAll(asking, questions);
    const user: UserInfo = {
      name,
      groups: groupsFor(name, groups),
      ...(uid ? { uid } : {}),
      ...(extras.size > 0 ? { extra: Object.fromEntries(extras) } : {}),
    };
    actingFor.set(user, asking);
    return user;
  }

  async #requireAll(user: UserInfo, questions: readonly RequestInfo[]): Promise<void> {
    for (const info of questions) {
      const decision = await this.authorizer.authorize({ user, info });
      if (!decision.allowed) throw forbiddenBy(user, info, decision);
    }
  }
}
