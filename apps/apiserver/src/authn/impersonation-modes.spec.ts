import { describe, expect, it } from '@jest/globals';
import type { UserInfo } from '@orrery/registry';
import { resourceAttributes } from '../authz/attributes.js';
import type { AuthorizationAttributes } from '../filters/authorization.js';
import { impersonate } from './impersonation-modes.js';
import type { WantedUser } from './impersonation-modes.js';

const NODE = 'authentication.kubernetes.io/node-name';
const jane: UserInfo = { name: 'jane', groups: [] };
const agent: UserInfo = {
  name: 'system:serviceaccount:kube-system:agent',
  groups: [],
  extra: { [NODE]: ['n1'], 'authentication.kubernetes.io/pod-name': ['agent-x'] },
};
const listPods = resourceAttributes({ verb: 'list', resource: 'pods', namespace: 'default' });

const lineOf = ({ info }: AuthorizationAttributes): string =>
  [
    info.verb,
    info.group || 'core',
    info.subresource ? `${info.resource}/${info.subresource}` : info.resource,
    info.namespace,
    info.name,
  ].join(' ');

interface Asked {
  readonly wanted: WantedUser;
  readonly requestor?: UserInfo;
  /** Questions that are answered with yes, as `verb group resource namespace name`. */
  readonly allows: readonly string[];
}

async function ask({ wanted, requestor = jane, allows }: Asked) {
  const questions: string[] = [];
  const users: UserInfo[] = [];
  const authorizer = {
    authorize: (attributes: AuthorizationAttributes) => {
      questions.push(lineOf(attributes));
      users.push(attributes.user);
      return { allowed: allows.includes(lineOf(attributes)) };
    },
  };
  const made = impersonate({ wanted, requestor, info: listPods }, authorizer);
  const outcome = await made.catch((error: unknown) => (error as Error).message);
  return { outcome, questions, users };
}

const named = (name: string, more: Partial<WantedUser> = {}): WantedUser => ({
  name,
  groups: [],
  extra: new Map(),
  ...more,
});

describe('impersonate()', () => {
  it.each([
    {
      name: 'any user, for what it asks',
      wanted: named('bob'),
      allows: [
        'impersonate-on:user-info:list core pods default ',
        'impersonate:user-info authentication.k8s.io users  bob',
      ],
      want: {
        user: { name: 'bob', groups: ['system:authenticated'] },
        constraint: 'impersonate:user-info',
      },
    },
    {
      name: 'a service account',
      wanted: named('system:serviceaccount:a:bot'),
      allows: [
        'impersonate-on:serviceaccount:list core pods default ',
        'impersonate:serviceaccount authentication.k8s.io serviceaccounts a bot',
      ],
      want: {
        user: {
          name: 'system:serviceaccount:a:bot',
          groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
        },
        constraint: 'impersonate:serviceaccount',
      },
    },
    {
      name: 'a node',
      wanted: named('system:node:n2'),
      allows: [
        'impersonate-on:arbitrary-node:list core pods default ',
        'impersonate:arbitrary-node authentication.k8s.io nodes  n2',
      ],
      want: {
        user: { name: 'system:node:n2', groups: ['system:nodes', 'system:authenticated'] },
        constraint: 'impersonate:arbitrary-node',
      },
    },
    {
      name: 'anybody, by the old right',
      wanted: named('bob', { uid: '7', groups: ['ops'], extra: new Map([['team', ['a']]]) }),
      allows: [
        'impersonate core users  bob',
        'impersonate core groups  ops',
        'impersonate authentication.k8s.io uids  7',
        'impersonate authentication.k8s.io userextras/team  a',
      ],
      want: {
        user: {
          name: 'bob',
          uid: '7',
          groups: ['ops', 'system:authenticated'],
          extra: { team: ['a'] },
        },
        constraint: '',
      },
    },
    {
      name: 'a user with many groups, by one right for all',
      wanted: named('bob', { groups: ['a', 'b', 'c', 'd'] }),
      allows: [
        'impersonate-on:user-info:list core pods default ',
        'impersonate:user-info authentication.k8s.io users  bob',
        'impersonate:user-info authentication.k8s.io groups  *',
      ],
      want: {
        user: { name: 'bob', groups: ['a', 'b', 'c', 'd', 'system:authenticated'] },
        constraint: 'impersonate:user-info',
      },
    },
  ])('lets act as $name', async ({ wanted, allows, want }) => {
    expect((await ask({ wanted, allows })).outcome).toEqual(want);
  });

  it("lets a pod's account act as the node of the pod, told by the keys of its extra fields alone", async () => {
    const allows = [
      'impersonate-on:associated-node:list core pods default ',
      'impersonate:associated-node authentication.k8s.io nodes  *',
    ];
    const mine = await ask({ wanted: named('system:node:n1'), requestor: agent, allows });
    expect(mine.outcome).toMatchObject({ constraint: 'impersonate:associated-node' });
    expect(mine.users[0]?.extra).toEqual({
      'authentication.kubernetes.io/associated-node-keys': [
        NODE,
        'authentication.kubernetes.io/pod-name',
      ].sort(),
    });
    const other = await ask({ wanted: named('system:node:n2'), requestor: agent, allows });
    expect(other.outcome).toBe(
      'pods is forbidden: User "system:serviceaccount:kube-system:agent" cannot impersonate-on:arbitrary-node:list resource "pods" in API group "" in the namespace "default"',
    );
  });

  it.each([
    {
      name: 'the group of the almighty',
      more: { groups: ['system:masters'] },
      want: 'groups.authentication.k8s.io "system:masters" is forbidden: User "jane" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
    },
    {
      name: 'a group without name',
      more: { groups: [''] },
      want: 'groups.authentication.k8s.io is forbidden: User "jane" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the empty string group is not allowed',
    },
    {
      name: 'an extra field of no domain',
      more: { extra: new Map([['team', ['a']]]) },
      want: 'userextras.authentication.k8s.io is forbidden: User "jane" cannot impersonate:user-info resource "userextras" in API group "authentication.k8s.io" at the cluster scope: impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "team": must be a domain-prefixed path (such as "acme.io/foo")',
    },
    {
      name: 'an empty value',
      more: { extra: new Map([['acme.io/team', ['']]]) },
      want: 'userextras.authentication.k8s.io is forbidden: User "jane" cannot impersonate:user-info resource "userextras" in API group "authentication.k8s.io" at the cluster scope: impersonating the empty string value in extra is not allowed',
    },
  ])('refuses $name by the constrained right, and asks for the old one', async ({ more, want }) => {
    const { outcome, questions } = await ask({
      wanted: named('bob', more),
      allows: [
        'impersonate-on:user-info:list core pods default ',
        'impersonate:user-info authentication.k8s.io users  bob',
      ],
    });
    expect(outcome).toBe(want);
    expect(questions.at(-1)).toBe('impersonate core users  bob');
  });

  it('tells of the first right that was missing', async () => {
    expect((await ask({ wanted: named('bob'), allows: [] })).outcome).toBe(
      'pods is forbidden: User "jane" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "default"',
    );
  });
});
