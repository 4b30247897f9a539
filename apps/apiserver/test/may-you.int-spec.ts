import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const folder = mkdtempSync(join(tmpdir(), 'may-you-'));
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const AUTHZ = '/apis/authorization.k8s.io/v1';
const AUTHN = '/apis/authentication.k8s.io/v1';
const CORE = '/api/v1/namespaces/default';
let api: Replica;

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const statusOf = ({ json }: Answer): Json => (json['status'] ?? {}) as Json;

const as = (
  token: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  api.ask(path, {
    method: body === undefined ? 'GET' : 'POST',
    body,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });

const rule = (verbs: string[], resources: string[], more: Json = {}): Json => ({
  apiGroups: ['', 'rbac.authorization.k8s.io'],
  resources,
  verbs,
  ...more,
});

/** Gives jane these rules at once, by the name of the role. */
async function grant(name: string, rules: Json[]): Promise<void> {
  await api.post(`${RBAC}/clusterroles`, { metadata: { name }, rules });
  await api.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
  });
}

beforeAll(async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = { type: 'spki', format: 'pem' } as const;
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: [
      `--token-auth-file=${file('tokens.csv', 'root,root,1,system:masters\njane,jane,2,dev\n')}`,
      '--authorization-mode=Node,RBAC',
      '--disable-admission-plugins=ServiceAccount',
      `--service-account-key-file=${file('sa.pub', String(publicKey.export(pem)))}`,
      `--service-account-signing-key-file=${file(
        'sa.key',
        privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      )}`,
    ],
    headers: { authorization: 'Bearer root' },
  });
}, 60_000);

afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

describe('nobody gives what they do not have', () => {
  const role = (name: string): Json => ({
    metadata: { name },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
  });
  const binding = (name: string): Json => ({
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reads-secrets' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
  });
  const ROLES = `${RBAC}/namespaces/default/roles`;
  const BINDINGS = `${RBAC}/namespaces/default/rolebindings`;

  it('unless they may escalate, or bind', async () => {
    await api.post(`${RBAC}/clusterroles`, role('reads-secrets'));
    await grant('makes-roles', [rule(['create'], ['roles', 'rolebindings'])]);
    const lacks =
      'user "jane" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}';
    await eventually(async () => {
      const refused = await as('jane', ROLES, role('mine'));
      expect([refused.status, refused.json['message']]).toEqual([
        403,
        `roles.rbac.authorization.k8s.io "mine" is forbidden: ${lacks}`,
      ]);
    });
    const refused = await as('jane', BINDINGS, binding('mine'));
    expect([refused.status, refused.json['message']]).toEqual([
      403,
      `rolebindings.rbac.authorization.k8s.io "mine" is forbidden: ${lacks}`,
    ]);
    await grant('escalates', [
      rule(['escalate'], ['roles']),
      rule(['bind'], ['clusterroles'], { resourceNames: ['reads-secrets'] }),
    ]);
    await eventually(async () => {
      expect((await as('jane', `${ROLES}?dryRun=All`, role('mine'))).status).toBe(201);
      expect((await as('jane', `${BINDINGS}?dryRun=All`, binding('mine'))).status).toBe(201);
    });
  });
});

describe('decisions', () => {
  it('are counted by the authorizer that makes them', async () => {
    await grant('reads-metrics', [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }]);
    await eventually(async () => {
      const { text } = await as('jane', '/metrics');
      expect(text).toMatch(
        /^apiserver_authorization_decisions_total\{type="RBAC",name="rbac",decision="allowed"\} [1-9]/m,
      );
    });
  });
});

describe('writers of admission policies', () => {
  const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
  const JANE = '&{jane 2 [dev system:authenticated] map[]}';
  const kinds = ['validatingadmissionpolicies', 'mutatingadmissionpolicies'];
  const paramKind = { apiVersion: 'v1', kind: 'Secret' };
  const matchConstraints = {
    resourceRules: [
      { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] },
    ],
  };
  const actions = {
    validations: [{ expression: 'true' }],
    mutations: [
      { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } },
    ],
    reinvocationPolicy: 'Never',
  };
  const policy = (name: string): Json => ({
    metadata: { name },
    spec: { paramKind, matchConstraints, ...actions },
  });
  const binding = (paramRef: Json): Json => ({
    metadata: { name: 'p' },
    spec: {
      policyName: 'p',
      paramRef: { namespace: 'default', parameterNotFoundAction: 'Deny', ...paramRef },
      validationActions: ['Deny'],
    },
  });

  beforeAll(async () => {
    const bindings = kinds.map((plural) => plural.replace(/ies$/, 'ybindings'));
    await grant('writes-policies', [
      rule(['*'], [...kinds, ...bindings], { apiGroups: ['admissionregistration.k8s.io'] }),
      rule(['get', 'list'], ['configmaps']),
    ]);
  });

  it.each(kinds)('must be allowed to read the parameters of %s', async (plural) => {
    const url = `${ADMISSION}/${plural}?dryRun=All&fieldValidation=Ignore`;
    const kind = plural.startsWith('val') ? 'ValidatingAdmissionPolicy' : 'MutatingAdmissionPolicy';
    await eventually(async () => {
      const refused = await as('jane', url, policy('p'));
      expect([refused.status, refused.json['message']]).toEqual([
        422,
        `${kind}.admissionregistration.k8s.io "p" is invalid: spec.paramKind: Forbidden: user ${JANE} must have "get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)`,
      ]);
    });
    const readable = policy('p');
    Object.assign(readable['spec'] as Json, { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } });
    expect((await as('jane', url, readable)).status).toBe(201);
    expect((await api.post(url, policy('p'))).status).toBe(201);
  });

  it.each(kinds)('must be allowed to read what bindings of %s refer to', async (plural) => {
    const made = await api.post(`${ADMISSION}/${plural}?fieldValidation=Ignore`, policy('p'));
    expect(made.status).toBe(201);
    const url = `${ADMISSION}/${plural.replace(/ies$/, 'ybindings')}?dryRun=All&fieldValidation=Ignore`;
    const tell = async (paramRef: Json): Promise<unknown> =>
      (await as('jane', url, binding(paramRef))).json['message'];
    expect(await tell({ name: 'x' })).toContain(
      `spec.paramRef: Forbidden: user get does not have "${JANE}" permission on the object referenced by paramRef`,
    );
    expect(await tell({ selector: {} })).toContain(`user list does not have "${JANE}" permission`);
    await grant(`reads-x-${plural}`, [rule(['get'], ['secrets'], { resourceNames: ['x'] })]);
    await eventually(async () => {
      expect((await as('jane', url, binding({ name: 'x' }))).status).toBe(201);
    });
    for (const what of ['clusterrolebindings', 'clusterroles'])
      await api.ask(`${RBAC}/${what}/reads-x-${plural}`, { method: 'DELETE' });
  });
});

describe('writers of the status of ResourceClaims', () => {
  const CLAIMS = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';
  const groups = { apiGroups: ['resource.k8s.io'] };
  const result = { request: 'a', driver: 'd.example.com', pool: 'p', device: 'x' };
  const allocation = { devices: { results: [result] } };
  const device = { driver: 'd.example.com', pool: 'p', device: 'x', data: { a: 1 } };
  const patch = (status: Json): Promise<Answer> =>
    api.ask(`${CLAIMS}/c/status`, {
      method: 'PATCH',
      body: { status },
      headers: {
        authorization: 'Bearer jane',
        'content-type': 'application/merge-patch+json',
      },
    });

  it('need a right for what is allocated, and one for each driver', async () => {
    const requests = [
      { name: 'a', exactly: { deviceClassName: 'x', allocationMode: 'ExactCount', count: 1 } },
    ];
    const made = await api.post(CLAIMS, {
      metadata: { name: 'c' },
      spec: { devices: { requests } },
    });
    expect(made.status).toBe(201);
    await grant('writes-claims', [rule(['patch'], ['resourceclaims/status'], groups)]);
    const tells = async (status: Json, text: string): Promise<void> => {
      await eventually(async () => {
        const { json } = await patch(status);
        expect(json['message']).toBe(`ResourceClaim.resource.k8s.io "c" is invalid: ${text}`);
      });
    };
    await tells(
      { allocation },
      'status: Forbidden: changing status.allocation or status.reservedFor requires patch permission on resourceclaims/binding',
    );
    await grant('binds-claims', [rule(['patch'], ['resourceclaims/binding'], groups)]);
    await eventually(async () => {
      expect((await patch({ allocation })).status).toBe(200);
    });
    await tells(
      { devices: [device] },
      'status.devices: Forbidden: changing status.devices of driver "d.example.com" requires arbitrary-node:patch permission on resourceclaims/driver',
    );
    const drivers = { ...groups, resourceNames: ['d.example.com'] };
    await grant('drives', [rule(['arbitrary-node:patch'], ['resourceclaims/driver'], drivers)]);
    await eventually(async () => {
      expect((await patch({ devices: [device] })).status).toBe(200);
    });
  });
});

describe('access reviews', () => {
  const get = (resource: string): Json => ({ verb: 'get', resource, namespace: 'default' });

  it('are answered for oneself and for others, and never with more than was asked', async () => {
    await grant('reads-pods', [rule(['get'], ['pods'])]);
    await eventually(async () => {
      const own = await as('jane', `${AUTHZ}/selfsubjectaccessreviews`, {
        spec: { resourceAttributes: get('pods') },
      });
      expect([own.status, statusOf(own)]).toEqual([
        201,
        {
          allowed: true,
          reason:
            'RBAC: allowed by ClusterRoleBinding "reads-pods" of ClusterRole "reads-pods" to User "jane"',
        },
      ]);
    });
    const other = await api.post(`${AUTHZ}/subjectaccessreviews`, {
      spec: { user: 'jane', resourceAttributes: get('nodes') },
    });
    expect(statusOf(other)).toMatchObject({ allowed: false });
    const path = await api.post(`${AUTHZ}/subjectaccessreviews`, {
      spec: { groups: ['system:masters'], nonResourceAttributes: { path: '/x', verb: 'get' } },
    });
    expect(statusOf(path)).toMatchObject({ allowed: true });
    const local = await api.post(`${AUTHZ}/namespaces/default/localsubjectaccessreviews`, {
      spec: { user: 'jane', resourceAttributes: get('pods') },
    });
    expect(statusOf(local)).toMatchObject({ allowed: true });
    const elsewhere = await api.post(`${AUTHZ}/namespaces/other/localsubjectaccessreviews`, {
      spec: { user: 'jane', resourceAttributes: get('pods') },
    });
    expect([elsewhere.status, elsewhere.json['message']]).toEqual([
      422,
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "default": must match metadata.namespace',
    ]);
    const nobody = await api.post(`${AUTHZ}/subjectaccessreviews`, {
      spec: { resourceAttributes: get('pods') },
    });
    expect([nobody.status, nobody.json['message']]).toEqual([
      422,
      '.authorization.k8s.io "" is invalid: spec.user: Invalid value: "": at least one of user or group must be specified',
    ]);
    const nothing = await api.post(`${AUTHZ}/selfsubjectaccessreviews`, { spec: {} });
    expect([nothing.status, nothing.json['message']]).toEqual([
      422,
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ]);
    const refused = await as('jane', `${AUTHZ}/subjectaccessreviews`, {
      spec: { user: 'root', resourceAttributes: get('pods') },
    });
    expect(refused.status).toBe(403);
  });

  it('say what is wrong with selectors, and which were not looked at', async () => {
    const asked = (selectors: Json): Json => ({
      spec: { user: 'jane', resourceAttributes: { ...get('pods'), ...selectors } },
    });
    const review = (selectors: Json): ReturnType<typeof api.post> =>
      api.post(`${AUTHZ}/subjectaccessreviews`, asked(selectors));
    const wrong = await review({
      fieldSelector: { rawSelector: 'a=b', requirements: [{ key: '', operator: 'In' }] },
      labelSelector: {},
    });
    const at = 'spec.resourceAttributes';
    expect(wrong.json['message']).toBe(
      `.authorization.k8s.io "" is invalid: [${[
        `${at}.fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`,
        `${at}.fieldSelector.requirements[0].key: Required value: must be specified`,
        `${at}.fieldSelector.requirements[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
        `${at}.labelSelector.requirements: Required value: when ${at}.labelSelector is specified, requirements or rawSelector is required`,
      ].join(', ')}]`,
    );
    const unknown = { key: 'a', operator: 'Near', values: ['b'] };
    const partly = await review({
      fieldSelector: { requirements: [unknown] },
      labelSelector: { requirements: [unknown, { key: 'a', operator: 'Exists' }] },
    });
    expect(statusOf(partly)).toMatchObject({
      evaluationError: `${at}.fieldSelector ignored due to parse error; ${at}.labelSelector partially ignored due to parse error`,
    });
  });

  it('print paths as upstream does', async () => {
    const both = await api.post(`${AUTHZ}/selfsubjectaccessreviews`, {
      spec: { resourceAttributes: get('pods'), nonResourceAttributes: { path: '/x', verb: 'get' } },
    });
    expect(both.json['message']).toBe(
      '.authorization.k8s.io "" is invalid: spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":"get"}: cannot be specified in combination with resourceAttributes',
    );
  });

  it('tell all rules of a namespace', async () => {
    const rules = await as('jane', `${AUTHZ}/selfsubjectrulesreviews`, {
      spec: { namespace: 'default' },
    });
    const { resourceRules, incomplete } = statusOf(rules) as {
      resourceRules: Json[];
      incomplete: boolean;
    };
    expect(resourceRules).toContainEqual(expect.objectContaining({ resources: ['pods'] }));
    expect(incomplete).toBe(false);
  });
});

describe('who acts as another', () => {
  const WHO = `${AUTHN}/selfsubjectreviews`;

  it('is that one wholly: name, uid, groups and extra fields', async () => {
    const seen = await as(
      'root',
      WHO,
      {},
      {
        'impersonate-user': 'bob',
        'impersonate-uid': '7',
        'impersonate-group': 'system:masters',
        'impersonate-extra-example.com%2fteam': 'a',
      },
    );
    expect(statusOf(seen)['userInfo']).toEqual({
      username: 'bob',
      uid: '7',
      groups: ['system:masters', 'system:authenticated'],
      extra: { 'example.com/team': ['a'] },
    });
  });

  it.each([
    { name: 'a user', headers: { 'impersonate-user': 'bob' }, mode: 'user-info' },
    {
      name: 'a service account',
      headers: { 'impersonate-user': 'system:serviceaccount:default:a' },
      mode: 'serviceaccount',
    },
  ])('must be allowed to: $name', async ({ headers, mode }) => {
    const refused = await as('jane', '/version', undefined, headers);
    expect([refused.status, refused.json['message']]).toEqual([
      403,
      `forbidden: User "jane" cannot impersonate-on:${mode}:get path "/version"`,
    ]);
  });

  it('may be allowed to for some requests alone', async () => {
    const apiGroups = ['authentication.k8s.io'];
    await grant('acts-for-maps', [
      rule(['impersonate-on:user-info:list'], ['configmaps']),
      rule(['impersonate:user-info'], ['users'], { apiGroups, resourceNames: ['ann'] }),
    ]);
    const ann = { 'impersonate-user': 'ann' };
    const maps = '/api/v1/namespaces/default/configmaps';
    await eventually(async () => {
      const { json } = await as('jane', maps, undefined, ann);
      expect(json['message']).toMatch(/^configmaps is forbidden: User "ann" cannot list/);
    });
    const other = await as('jane', `${maps}/x`, undefined, ann);
    expect(other.json['message']).toMatch(
      /^configmaps "x" is forbidden: User "jane" cannot impersonate-on:user-info:get resource "configmaps"/,
    );
  });

  it('needs a right for every group, uid and extra field, too', async () => {
    await grant('acts', [rule(['impersonate'], ['users'])]);
    const bob = { 'impersonate-user': 'bob' };
    await eventually(async () => {
      expect((await as('jane', '/version', undefined, bob)).status).toBe(200);
    });
    const others: Record<string, string>[] = [
      { 'impersonate-group': 'ops' },
      { 'impersonate-uid': '7' },
      { 'impersonate-extra-team': 'a' },
    ];
    for (const more of others)
      expect((await as('jane', '/version', undefined, { ...bob, ...more })).status).toBe(403);
  });
});

describe('tokens of service accounts', () => {
  const token = async (spec: Json): Promise<string> => {
    const made = await api.post(`${CORE}/serviceaccounts/bot/token`, { spec });
    if (made.status !== 201) throw new Error(made.text);
    return String(statusOf(made)['token']);
  };
  const review = async (spec: Json): Promise<Json> =>
    statusOf(await api.post(`${AUTHN}/tokenreviews`, { spec }));

  it('are good for the audiences that they are for', async () => {
    await api.post(`${CORE}/serviceaccounts`, { metadata: { name: 'bot' } });
    const mine = await token({ audiences: ['vault', 'api'] });
    expect(await review({ token: mine, audiences: ['vault', 'x'] })).toMatchObject({
      authenticated: true,
      audiences: ['vault'],
      user: { username: 'system:serviceaccount:default:bot' },
    });
    expect(await review({ token: mine, audiences: ['x'] })).not.toHaveProperty('authenticated');
    expect((await as(mine, '/version')).status).toBe(401);
  });

  it('end with the pod that they are bound to', async () => {
    const pod = await api.post(`${CORE}/pods`, {
      metadata: { name: 'bound' },
      spec: { serviceAccountName: 'bot', containers: [{ name: 'a', image: 'a' }] },
    });
    const { uid } = pod.json['metadata'] as { uid: string };
    const bound = await token({
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'bound', uid },
    });
    expect((await as(bound, '/version')).status).toBe(200);
    expect(await review({ token: bound })).toMatchObject({
      user: {
        extra: {
          'authentication.kubernetes.io/pod-name': ['bound'],
          'authentication.kubernetes.io/pod-uid': [uid],
        },
      },
    });
    await api.ask(`${CORE}/pods/bound?gracePeriodSeconds=0`, { method: 'DELETE' });
    await eventually(async () => {
      expect((await as(bound, '/version')).status).toBe(401);
    });
    expect(await review({ token: bound })).not.toHaveProperty('authenticated');
  });
});
