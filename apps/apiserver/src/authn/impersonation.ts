import type { IncomingMessage } from 'node:http';
import { goQuote, newBadRequest } from '@orrery/apimachinery';
import type { UserInfo } from '@orrery/registry';
import { ANONYMOUS } from '../filters/authentication.js';
import type { AuthenticationInput, Authenticator } from '../filters/authentication.js';
import type { Authorizer } from '../filters/authorization.js';
import { parseRequestInfo } from '../filters/request-info.js';
import type { RequestInfo } from '../filters/request-info.js';
import { impersonate } from './impersonation-modes.js';
import type { WantedUser } from './impersonation-modes.js';

const PREFIX = 'impersonate-';
const EXTRA = 'impersonate-extra-';

const actingFor = new WeakMap<UserInfo, { readonly by: UserInfo; readonly constraint: string }>();
const askedBy = new WeakMap<IncomingMessage, UserInfo>();

/** Who acts as `user`; undefined when it is the user itself. */
export const requestorOf = (user: UserInfo): UserInfo | undefined => actingFor.get(user)?.by;

/** By which constrained right `user` is acted as; '' = by none. */
export const constraintOf = (user: UserInfo): string => actingFor.get(user)?.constraint ?? '';

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

const goList = (values: readonly string[]): string =>
  values.length === 0 ? '[]string(nil)' : `[]string{${values.map(goQuote).join(', ')}}`;

/** The user of the headers as Go's %#v prints upstream's DefaultInfo. */
function printWanted({ name, uid = '', groups, extra }: WantedUser): string {
  const entries = [...extra]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, values]) => `${goQuote(key)}:${goList(values)}`);
  const map = `map[string][]string${entries.length === 0 ? '(nil)' : `{${entries.join(', ')}}`}`;
  return `&user.DefaultInfo{Name:${goQuote(name)}, UID:${goQuote(uid)}, Groups:${goList(groups)}, Extra:${map}}`;
}

const wantsAnother = ({ headers }: IncomingMessage): boolean => {
  for (const name in headers) if (name.startsWith(PREFIX)) return true;
  return false;
};

/** As whom the headers of a request want to act; undefined = as nobody else. */
function wantedBy(raw: IncomingMessage): WantedUser | undefined {
  if (!wantsAnother(raw)) return undefined;
  const [name = ''] = valuesOf(raw, 'impersonate-user');
  const [uid] = valuesOf(raw, 'impersonate-uid');
  const groups = valuesOf(raw, 'impersonate-group');
  const extra = extrasOf(raw);
  const wanted = { name, ...(uid ? { uid } : {}), groups, extra };
  if (name) return wanted;
  if (groups.length > 0 || uid || extra.size > 0)
    throw newBadRequest(`requested ${printWanted(wanted)} without impersonating a user name`);
  return undefined;
}

function infoOf({ raw, query }: AuthenticationInput): RequestInfo {
  const [path = '/'] = (raw.url ?? '/').split('?', 1);
  return parseRequestInfo(raw.method ?? 'GET', path, query);
}

/** How an attempt to act as another ended. */
export type CountImpersonation = (mode: string, isAllowed: boolean, seconds: number) => void;

export interface ImpersonationDeps {
  readonly authorizer: Authorizer;
  readonly clock: { monotonic(): number };
  readonly count: CountImpersonation;
}

/** Lets a user act as another when authorized to (k8s apiserver pkg/endpoints/filters/impersonation). */
export class ImpersonatingAuthenticator implements Authenticator {
  constructor(
    private readonly inner: Authenticator,
    private readonly deps: ImpersonationDeps,
  ) {}

  async authenticate(input: AuthenticationInput): Promise<UserInfo | undefined> {
    const requestor = await this.inner.authenticate(input);
    const wanted = wantedBy(input.raw);
    if (!wanted) return requestor;
    const asking = requestor ?? ANONYMOUS;
    askedBy.set(input.raw, asking);
    const info = input.info ?? infoOf(input);
    const { authorizer, clock, count } = this.deps;
    const startedAt = clock.monotonic();
    const seconds = (): number => (clock.monotonic() - startedAt) / 1000;
    try {
      const made = await impersonate({ wanted, requestor: asking, info }, authorizer);
      const { user, constraint } = made;
      count(constraint === '' ? 'legacy' : constraint.replace('impersonate:', ''), true, seconds());
      actingFor.set(user, { by: asking, constraint });
      return user;
    } catch (error) {
      count('', false, seconds());
      throw error;
    }
  }
}
