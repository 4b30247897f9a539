import { FieldPath, StatusError, isDns1123Subdomain } from '@orrery/apimachinery';
import { domainPrefixedPath } from '@orrery/api';
import type { UserInfo } from '@orrery/registry';
import { forbiddenBy, resourceAttributes } from '../authz/attributes.js';
import type { Authorizer } from '../filters/authorization.js';
import type { RequestInfo } from '../filters/request-info.js';

/** Who a request wants to act as, as its headers say. */
export interface WantedUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

export interface Attempt {
  readonly wanted: WantedUser;
  readonly requestor: UserInfo;
  /** What the request asks for. */
  readonly info: RequestInfo;
}

export interface Impersonated {
  readonly user: UserInfo;
  /** The verb that allowed it; '' for the old right, which is for everything. */
  readonly constraint: string;
}

type Question = Parameters<typeof resourceAttributes>[0];

const AUTHENTICATION = 'authentication.k8s.io';
const NODE_NAME = 'authentication.kubernetes.io/node-name';
const NODE_KEYS = 'authentication.kubernetes.io/associated-node-keys';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const NODE = 'system:node:';
/** From so many groups or extra values on, one right for all is asked for first. */
const MANY = 4;

function nodeOf(name: string): string | undefined {
  const node = name.startsWith(NODE) ? name.slice(NODE.length) : '';
  return node !== '' && isDns1123Subdomain(node).length === 0 ? node : undefined;
}

const isNameAlone = ({ uid, groups, extra }: WantedUser): boolean =>
  !uid && groups.length === 0 && extra.size === 0;

/** Whether the requestor is an account whose token belongs to that node. */
function isOn(requestor: UserInfo, node: string | undefined): boolean {
  const values = requestor.extra?.[NODE_NAME] ?? [];
  return (
    node !== undefined &&
    SERVICE_ACCOUNT.test(requestor.name) &&
    values.length === 1 &&
    values[0] === node
  );
}

interface Mode {
  readonly name: string;
  readonly applies: (wanted: WantedUser, requestor: UserInfo) => boolean;
}

/** In their order (k8s apiserver pkg/endpoints/filters/impersonation/mode.go:allImpersonationModes); the old one follows. */
const MODES: readonly Mode[] = [
  {
    name: 'associated-node',
    applies: (wanted, requestor) => isNameAlone(wanted) && isOn(requestor, nodeOf(wanted.name)),
  },
  {
    name: 'arbitrary-node',
    applies: (wanted) => isNameAlone(wanted) && nodeOf(wanted.name) !== undefined,
  },
  {
    name: 'serviceaccount',
    applies: (wanted) => isNameAlone(wanted) && SERVICE_ACCOUNT.test(wanted.name),
  },
  {
    name: 'user-info',
    applies: ({ name }) => nodeOf(name) === undefined && !SERVICE_ACCOUNT.test(name),
  },
];

/** What cannot be acted as by a constrained right; undefined = nothing. */
function extraFault(extra: WantedUser['extra']): string | undefined {
  for (const [key, values] of extra) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed';
    const [fault] = domainPrefixedPath(key, FieldPath.of('extra', 'key'));
    if (fault)
      return `impersonating an invalid key in extra is not allowed: ${fault.field}: ${fault.message}`;
    if (key !== key.toLowerCase())
      return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`;
    if (values.length === 0) return 'impersonating empty values in extra is not allowed';
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  }
  return undefined;
}

/** Asks for the right to act as each part of a user by one verb. */
class Rights {
  readonly #isConstrained: boolean;

  constructor(
    private readonly verb: string,
    private readonly requestor: UserInfo,
    private readonly authorizer: Authorizer,
  ) {
    this.#isConstrained = verb !== 'impersonate';
  }

  async check(info: RequestInfo): Promise<void> {
    const decision = await this.authorizer.authorize({ user: this.requestor, info });
    if (!decision.allowed) throw forbiddenBy(this.requestor, info, decision);
  }

  /** The user with the groups it has by itself. */
  async userOf(wanted: WantedUser): Promise<UserInfo> {
    const { name, uid, extra } = wanted;
    const groups = await this.#name(wanted);
    if (uid) await this.#ask({ group: AUTHENTICATION, resource: 'uids', name: uid });
    await this.#groups(wanted.groups);
    await this.#extra(extra);
    const isStranger = name === 'system:anonymous' || groups.includes('system:unauthenticated');
    const all = isStranger ? 'system:unauthenticated' : 'system:authenticated';
    return {
      name,
      groups: groups.includes(all) ? groups : [...groups, all],
      ...(uid ? { uid } : {}),
      ...(extra.size > 0 ? { extra: Object.fromEntries(extra) } : {}),
    };
  }

  #info(question: Omit<Question, 'verb'>): RequestInfo {
    return resourceAttributes({ verb: this.verb, ...question });
  }

  #ask(question: Omit<Question, 'verb'>): Promise<void> {
    return this.check(this.#info(question));
  }

  #refuse(question: Omit<Question, 'verb'>, reason: string): never {
    throw forbiddenBy(this.requestor, this.#info(question), { allowed: false, reason });
  }

  /** Names and groups were of the core group before rights were constrained. */
  get #group(): string {
    return this.#isConstrained ? AUTHENTICATION : '';
  }

  async #name({ name, groups }: WantedUser): Promise<readonly string[]> {
    const group = this.#group;
    const [, namespace, account] = SERVICE_ACCOUNT.exec(name) ?? [];
    if (namespace && account) {
      await this.#ask({ group, resource: 'serviceaccounts', namespace, name: account });
      if (groups.length > 0) return groups;
      return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
    }
    const node = this.#isConstrained ? nodeOf(name) : undefined;
    if (node === undefined) {
      await this.#ask({ group, resource: 'users', name });
      return groups;
    }
    // The right to act as one's own node is a right for whichever node that is.
    const isOwn = this.verb === 'impersonate:associated-node';
    await this.#ask({ group, resource: 'nodes', name: isOwn ? '*' : node });
    return ['system:nodes'];
  }

  async #groups(groups: readonly string[]): Promise<void> {
    if (groups.length === 0) return;
    const asked = { group: this.#group, resource: 'groups' };
    if (this.#isConstrained) {
      if (groups.includes(''))
        this.#refuse(asked, 'impersonating the empty string group is not allowed');
      if (groups.includes('system:masters'))
        this.#refuse(
          { ...asked, name: 'system:masters' },
          'impersonating the system:masters group is not allowed',
        );
      if (groups.length >= MANY && (await this.#allows({ ...asked, name: '*' }))) return;
    }
    for (const name of groups) await this.#ask({ ...asked, name });
  }

  async #extra(extra: WantedUser['extra']): Promise<void> {
    if (extra.size === 0) return;
    const asked = { group: AUTHENTICATION, resource: 'userextras' };
    if (this.#isConstrained) {
      const fault = extraFault(extra);
      if (fault !== undefined) this.#refuse(asked, fault);
      const count = [...extra.values()].reduce((sum, { length }) => sum + length, 0);
      const isLarge = extra.size >= MANY || count >= MANY;
      if (isLarge && (await this.#allows({ ...asked, subresource: '*', name: '*' }))) return;
    }
    for (const [subresource, values] of extra)
      for (const name of values) await this.#ask({ ...asked, subresource, name });
  }

  async #allows(question: Omit<Question, 'verb'>): Promise<boolean> {
    const asked = { user: this.requestor, info: this.#info(question) };
    return (await this.authorizer.authorize(asked)).allowed;
  }
}

/** As whom rights are asked for: one's own node is told from others by nothing that differs from node to node. */
function asking(mode: string, requestor: UserInfo): UserInfo {
  if (mode !== 'associated-node') return requestor;
  return { ...requestor, extra: { [NODE_KEYS]: Object.keys(requestor.extra ?? {}).sort() } };
}

async function constrained(
  mode: string,
  { wanted, requestor, info }: Attempt,
  authorizer: Authorizer,
): Promise<Impersonated> {
  const constraint = `impersonate:${mode}`;
  const rights = new Rights(constraint, asking(mode, requestor), authorizer);
  await rights.check({ ...info, verb: `impersonate-on:${mode}:${info.verb}` });
  return { user: await rights.userOf(wanted), constraint };
}

/**
 * The user that a requestor may act as: by a right for this kind of user and this request, or by the old one for
 * everything. Throws the refusal of the first mode that was asked for (KEP-5284, k8s apiserver
 * pkg/endpoints/filters/impersonation/constrained_impersonation.go:getImpersonatedUser).
 */
export async function impersonate(attempt: Attempt, authorizer: Authorizer): Promise<Impersonated> {
  const { wanted, requestor } = attempt;
  const ways = MODES.filter(({ applies }) => applies(wanted, requestor)).map(
    ({ name }) =>
      () =>
        constrained(name, attempt, authorizer),
  );
  let first: StatusError | undefined;
  for (const way of ways) {
    try {
      return await way();
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      first ??= error;
    }
  }
  try {
    const rights = new Rights('impersonate', requestor, authorizer);
    return { user: await rights.userOf(wanted), constraint: '' };
  } catch (error) {
    throw first ?? error;
  }
}
