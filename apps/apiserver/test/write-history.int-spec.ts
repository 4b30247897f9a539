import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ClusterDiff, Explanation, ObjectHistory, Write } from '@orrery/history';
import { describeActor, stepsOf } from '@orrery/history';
import { EtcdClient } from '@orrery/storage';
import { eventually, startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

/** Of its own: a cause that another spec records, or compacts away, would be told here. */
let etcd: TestEtcd;
const CORE = '/api/v1/namespaces/default';
const APPS = '/apis/apps/v1/namespaces/default';
const folder = mkdtempSync(join(tmpdir(), 'history-'));

let api: Replica;
let client: EtcdClient;

const TOKENS = [
  'admin,alice,1,"system:masters"',
  'reader,bob,2,"readers"',
  'nobody,carl,3,"strangers"',
].join('\n');

beforeAll(async () => {
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, TOKENS);
  etcd = await startEtcd();
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: '/registry/',
    flags: [
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      '--disable-admission-plugins=ServiceAccount',
    ],
  });
  client = new EtcdClient({ endpoints: etcd.endpoints });
  await allowReaders();
}, 60_000);

afterAll(async () => {
  client.close();
  await api.close();
  await etcd.stop();
  rmSync(folder, { recursive: true });
});

interface How {
  readonly as?: string;
  readonly agent?: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly because?: string;
  readonly type?: string;
}

function ask(path: string, how: How = {}): Promise<Answer> {
  const { as = 'admin', agent = 'kubectl/v1.36.4', method = 'GET', body, because, type } = how;
  return api.ask(path, {
    method,
    body,
    headers: {
      authorization: `Bearer ${as}`,
      'user-agent': agent,
      'content-type': type ?? 'application/json',
      ...(because ? { 'orrery-cause': because } : {}),
    },
  });
}

const revisionOf = (answer: Answer): number => {
  if (answer.status >= 300) throw new Error(answer.text);
  return Number(metadataOf(answer)['resourceVersion']);
};

const create = (path: string, body: Json, how: How = {}): Promise<Answer> =>
  ask(path, { ...how, method: 'POST', body });

const patch = (path: string, body: Json, how: How = {}): Promise<Answer> =>
  ask(path, { ...how, method: 'PATCH', body, type: 'application/merge-patch+json' });

/** Bob may look into history, read pods and config maps, and nothing else. */
async function allowReaders(): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await create(`${rbac}/clusterroles`, {
    metadata: { name: 'readers' },
    rules: [
      { apiGroups: [''], resources: ['pods', 'configmaps'], verbs: ['get', 'list'] },
      { nonResourceURLs: ['/history/*'], verbs: ['get'] },
    ],
  });
  await create(`${rbac}/clusterrolebindings`, {
    metadata: { name: 'readers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'readers' },
    subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'readers' }],
  });
}

const read = async <T>(path: string, how: How = {}): Promise<T> => {
  const answer = await ask(path, how);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json as unknown as T;
};

const lines = ({ text }: Answer): (Write & { kind?: string; revision: number })[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Write);

const template = {
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'nginx', image: 'nginx' }] },
};

const workload = (kind: string, name: string, owner?: Answer): Json => ({
  kind,
  apiVersion: 'apps/v1',
  metadata: { name, ...ownedBy(owner) },
  spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template },
});

function ownedBy(owner: Answer | undefined): Json {
  if (!owner) return {};
  const { kind, apiVersion } = owner.json as { kind: string; apiVersion: string };
  const { name, uid } = metadataOf(owner);
  return { ownerReferences: [{ kind, apiVersion, name, uid, controller: true }] };
}

describe('/history/revisions', () => {
  it('tells each write of an object: who, when, what and why', async () => {
    const first = await create(`${CORE}/configmaps?fieldManager=kubectl-create`, {
      metadata: { name: 'a' },
      data: { x: '1' },
    });
    const cause = await create(`${CORE}/configmaps`, { metadata: { name: 'b' } });
    await patch(
      `${CORE}/configmaps/a`,
      { data: { x: '2' } },
      {
        agent: 'copier/1.0',
        because: `revision=${revisionOf(cause)}; controller=copier`,
      },
    );
    const found = await read<ObjectHistory>(`/history/revisions${CORE}/configmaps/a`);
    expect(found.writes.map(({ type, summary }) => [type, summary])).toEqual([
      ['MODIFIED', 'data.x: 1 -> 2'],
      ['ADDED', 'created'],
    ]);
    const [second, creation] = found.writes;
    expect(creation?.revision).toBe(revisionOf(first));
    expect(describeActor(creation?.actor)).toBe('alice with kubectl create');
    expect(creation?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(second?.because).toMatchObject({
      revision: revisionOf(cause),
      how: 'told',
      object: { kind: 'ConfigMap', name: 'b' },
    });
  });

  it('reaches over deletions on demand, and finds what is gone', async () => {
    const path = `${CORE}/configmaps/again`;
    const make = (): Promise<Answer> =>
      create(`${CORE}/configmaps`, { metadata: { name: 'again' } });
    await make();
    await ask(path, { method: 'DELETE' });
    await make();
    const types = async (query: string): Promise<string[]> =>
      (await read<ObjectHistory>(`/history/revisions${path}${query}`)).writes.map(
        ({ type }) => type,
      );
    expect(await types('')).toEqual(['ADDED']);
    expect(await types('?all=true')).toEqual(['ADDED', 'DELETED', 'ADDED']);
    await ask(path, { method: 'DELETE' });
    expect(await types('')).toEqual(['DELETED', 'ADDED']);
    expect(await types('?all=true')).toEqual(['DELETED', 'ADDED', 'DELETED', 'ADDED']);
  });

  it('comes in pages that meet', async () => {
    await create(`${CORE}/configmaps`, { metadata: { name: 'many' }, data: { n: '0' } });
    for (let i = 1; i < 10; i++) await patch(`${CORE}/configmaps/many`, { data: { n: String(i) } });
    const path = `/history/revisions${CORE}/configmaps/many`;
    const whole = await read<ObjectHistory>(path);
    expect(whole.writes).toHaveLength(10);
    expect(whole.before).toBeUndefined();
    const seen: number[] = [];
    let before = '';
    for (let pages = 0; pages < 10; pages++) {
      const page = await read<ObjectHistory>(`${path}?limit=3${before}`);
      seen.push(...page.writes.map(({ revision }) => revision));
      if (page.before === undefined) break;
      before = `&before=${page.before}`;
    }
    expect(seen).toEqual(whole.writes.map(({ revision }) => revision));
  });

  it('hides what a Secret holds', async () => {
    await create(`${CORE}/secrets`, { metadata: { name: 's' }, stringData: { password: 'first' } });
    await patch(`${CORE}/secrets/s`, { stringData: { password: 'second' } });
    const { text } = await ask(`/history/revisions${CORE}/secrets/s`);
    expect(text).toContain('data.password');
    expect(text).not.toContain(Buffer.from('second').toString('base64'));
  });

  it.each<{
    name: string;
    path: string;
    as?: string;
    method?: string;
    status: number;
    says: RegExp;
  }>([
    {
      name: 'an object that never was',
      path: `revisions${CORE}/pods/none`,
      status: 404,
      says: /pods "none" not found/,
    },
    {
      name: 'an unknown resource',
      path: `revisions${CORE}/unicorns/x`,
      status: 404,
      says: /unicorns/,
    },
    { name: 'a collection', path: `revisions${CORE}/pods`, status: 400, says: /names no object/ },
    {
      name: 'a subresource',
      path: `revisions${CORE}/pods/x/status`,
      status: 400,
      says: /names no object/,
    },
    {
      name: 'a namespaced object without namespace',
      path: 'revisions/api/v1/pods/x',
      status: 400,
      says: /in a namespace/,
    },
    {
      name: 'a misspelt parameter',
      path: `revisions${CORE}/pods/x?limt=3`,
      status: 400,
      says: /"limt" is no parameter/,
    },
    {
      name: 'a limit that is no number',
      path: `revisions${CORE}/pods/x?limit=lots`,
      status: 400,
      says: /between 1 and 500/,
    },
    {
      name: 'a write',
      path: `revisions${CORE}/pods/x`,
      method: 'DELETE',
      status: 405,
      says: /only be read/,
    },
    { name: 'an unknown path', path: 'future', status: 404, says: /history is at/ },
    {
      name: 'a moment to come',
      path: 'diff?from=99999999',
      status: 400,
      says: /lies in the future/,
    },
    { name: 'no moment', path: 'diff', status: 400, says: /from: name the moment/ },
    {
      name: 'nonsense for a moment',
      path: 'diff?from=yesterday',
      status: 400,
      says: /is no moment/,
    },
    {
      name: 'moments in the wrong order',
      path: 'diff?from=9&to=8',
      status: 400,
      says: /lies behind/,
    },
    {
      name: 'an unknown type',
      path: 'log?since=1&resource=unicorns',
      status: 400,
      says: /not served/,
    },
    {
      name: 'an end of what is followed',
      path: 'log?since=1&follow=true&to=9',
      status: 400,
      says: /has no end/,
    },
    {
      name: 'a user without permission for history',
      path: `revisions${CORE}/pods/x`,
      as: 'nobody',
      status: 403,
      says: /cannot get path/,
    },
    {
      name: 'a user who may not read the object',
      path: `revisions${CORE}/secrets/s`,
      as: 'reader',
      status: 403,
      says: /cannot get resource "secrets"/,
    },
    {
      name: 'a user who may not read the explained object',
      path: `explain${CORE}/secrets/s`,
      as: 'reader',
      status: 403,
      says: /cannot get resource/,
    },
    {
      name: 'a user who may not list the compared type',
      path: 'diff?from=1&resource=secrets',
      as: 'reader',
      status: 403,
      says: /cannot list resource "secrets"/,
    },
  ])('refuses $name', async ({ path, as = 'admin', method = 'GET', status, says }) => {
    const answer = await ask(`/history/${path}`, { as, method });
    expect(answer.json['kind']).toBe('Status');
    expect(answer.status).toBe(status);
    expect(answer.json['message']).toMatch(says);
  });
});

describe('/history/diff and /history/log', () => {
  it('tell what changed between two moments, and leave out what the user may not see', async () => {
    const start = revisionOf(await create(`${CORE}/configmaps`, { metadata: { name: 'kept' } }));
    await create(`${CORE}/configmaps`, { metadata: { name: 'old' } });
    const from = revisionOf(await create(`${CORE}/secrets`, { metadata: { name: 'old' } }));
    await patch(`${CORE}/configmaps/old`, { data: { y: '1' } });
    await patch(`${CORE}/secrets/old`, { stringData: { y: '1' } });
    await ask(`${CORE}/configmaps/kept`, { method: 'DELETE' });
    const last = await create(`${CORE}/configmaps`, { metadata: { name: 'new' } });
    const to = revisionOf(last);
    const query = `from=${from}&to=${to}&namespace=default`;
    const signs = ({ changes }: ClusterDiff): string[] =>
      changes.map(({ type, object }) => `${type} ${object.kind} ${object.name}`);
    const all = await read<ClusterDiff>(`/history/diff?${query}`);
    expect(signs(all)).toEqual([
      'DELETED ConfigMap kept',
      'ADDED ConfigMap new',
      'MODIFIED ConfigMap old',
      'MODIFIED Secret old',
    ]);
    const some = await read<ClusterDiff>(`/history/diff?${query}`, { as: 'reader' });
    expect(signs(some)).toEqual(signs(all).slice(0, 3));
    expect(some.omitted).toEqual(['secrets']);
    const page = await read<ClusterDiff>(`/history/diff?${query}&limit=1`);
    const next = await read<ClusterDiff>(
      `/history/diff?${query}&limit=1&continue=${page.continue}`,
    );
    expect([...signs(page), ...signs(next)]).toEqual(signs(all).slice(0, 2));
    const typed = await read<ClusterDiff>(`/history/diff?${query}&resource=secrets`);
    expect(signs(typed)).toEqual(['MODIFIED Secret old']);

    const log = await ask(`/history/log?since=${start}&to=${to}&resource=configmaps`);
    expect(lines(log).map(({ type, summary, kind }) => kind ?? `${type} ${summary}`)).toEqual([
      'ADDED created',
      'ADDED created',
      'MODIFIED +data: {"y":"1"}',
      'DELETED deleted',
      'ADDED created',
      'LogMark',
    ]);
    const cut = lines(await ask(`/history/log?since=${start}&to=${to}`, { as: 'reader' }));
    expect(cut.at(-1)).toMatchObject({ kind: 'LogMark', revision: to, omitted: ['secrets'] });
    expect(cut.some(({ object }) => object?.kind === 'Secret')).toBe(false);
  });

  it('the log goes on while it is followed, and ends with its client', async () => {
    const watch = await api.watch('/history/log?follow=true&resource=configmaps', {
      headers: { authorization: 'Bearer admin' },
    });
    await create(`${CORE}/configmaps`, { metadata: { name: 'followed' } });
    await eventually(() => {
      expect(watch.bytes.toString()).toMatch(/"name":"followed"/);
    });
    watch.response.destroy();
  });

  it('leaves out renewals of Leases unless they are asked for', async () => {
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const since = revisionOf(await create(path, { metadata: { name: 'l' } }));
    await patch(`${path}/l`, { spec: { holderIdentity: 'a' } });
    const told = async (query: string): Promise<number> =>
      lines(await ask(`/history/log?since=${since}&namespace=default${query}`)).filter(
        ({ object }) => object?.name === 'l',
      ).length;
    expect(await told('')).toBe(1);
    expect(await told('&leases=true')).toBe(2);
  });
});

const KCM = 'kube-controller-manager/v1.20.2 (linux/amd64) kubernetes/faecb19';
const SCHEDULER = 'kube-scheduler/v1.20.2 (linux/amd64) kubernetes/faecb19';
const KUBELET = 'kubelet/v1.20.2 (linux/amd64) kubernetes/faecb19';

/** What upstream's components do with a Deployment, none of which sends a cause. */
async function rollOut(name: string): Promise<void> {
  const deployment = await create(`${APPS}/deployments`, workload('Deployment', name));
  const set = await create(`${APPS}/replicasets`, workload('ReplicaSet', `${name}-1`, deployment), {
    agent: KCM,
  });
  const pod = await create(
    `${CORE}/pods`,
    {
      metadata: { name: `${name}-1-a`, labels: { app: 'x' }, ...ownedBy(set) },
      spec: template.spec,
    },
    { agent: KCM },
  );
  const { uid } = metadataOf(pod);
  await create(
    `${CORE}/pods/${name}-1-a/binding`,
    { metadata: { name: `${name}-1-a`, uid }, target: { kind: 'Node', name: 'n1' } },
    { agent: SCHEDULER },
  );
  const state = { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const containerStatuses = [
    { name: 'nginx', image: 'nginx', imageID: '', ready: true, restartCount: 0, state },
  ];
  const conditions = [{ type: 'Ready', status: 'True' }];
  await patch(
    `${CORE}/pods/${name}-1-a/status`,
    { status: { phase: 'Running', containerStatuses, conditions } },
    { agent: KUBELET },
  );
  const counts = { replicas: 1, readyReplicas: 1 };
  await patch(`${APPS}/replicasets/${name}-1/status`, { status: counts }, { agent: KCM });
  await patch(`${APPS}/deployments/${name}/status`, { status: counts }, { agent: KCM });
}

describe('/history/explain', () => {
  it("infers the chain of a Deployment that upstream's components rolled out", async () => {
    await rollOut('up');
    const found = await read<Explanation>(`/history/explain${APPS}/deployments/up`);
    expect(found.chain.map(({ object, summary }) => `${object.kind}: ${summary}`)).toEqual([
      'Deployment: created: 1 replica of nginx',
      'ReplicaSet: created: 1 replica of nginx',
      'Pod: created: nginx',
      'Pod: bound to n1',
      'Pod: Running, ready',
      'ReplicaSet: status: ready 1/1',
      'Deployment: status: ready 1/1',
    ]);
    expect(found.chain.map(({ because }) => because?.how ?? 'root')).toEqual([
      'root',
      ...Array<string>(6).fill('inferred'),
    ]);
    expect(found.root).toBe('request');
    const steps = stepsOf(found);
    expect(steps).toHaveLength(13);
    expect(steps[2]?.text).toBe(
      'kube-controller-manager sees Deployment up@' + found.chain[0]?.revision,
    );
    expect(steps[2]?.inferredBy).toBe(
      'its owner Deployment up; what the writer had been sent is not known',
    );
  });

  it('infers from what this writer had been sent, by its watch or a list', async () => {
    // Parts of one program watch and write under names of their own.
    const agent = 'late-manager/v1 (linux/amd64) kubernetes/1234567/set-controller';
    const informers = agent.replace('set-controller', 'shared-informers');
    const path = `${APPS}/deployments`;
    const made = revisionOf(await create(path, workload('Deployment', 'late')));
    await read(path, { agent: informers });
    const changed = revisionOf(await patch(`${path}/late`, { metadata: { labels: { a: 'b' } } }));
    const owner = await ask(`${path}/late`);
    const set = async (name: string): Promise<number | undefined> => {
      const body = workload('ReplicaSet', name, owner);
      await create(`${APPS}/replicasets`, body, { agent });
      const found = await read<Explanation>(`/history/explain${APPS}/replicasets/${name}`);
      const link = found.chain.at(-1);
      expect(link?.because).toMatchObject({ how: 'inferred', rule: 'its owner Deployment late' });
      return link?.because?.revision;
    };
    expect(await set('late-1')).toBe(made);
    const watch = await api.watch(`${path}?watch=true`, {
      headers: { authorization: 'Bearer admin', 'user-agent': informers },
    });
    await eventually(() => {
      expect(watch.types()).toContain('ADDED');
    });
    expect(await set('late-2')).toBe(changed);
    watch.response.destroy();
  });

  it('explains an earlier state, and what else came of the first cause', async () => {
    const { revision } =
      (await read<Explanation>(`/history/explain${APPS}/deployments/up`)).chain[0] ?? {};
    const early = await read<Explanation>(`/history/explain${APPS}/deployments/up?at=${revision}`);
    expect(early.chain).toHaveLength(1);
    await create(
      `${CORE}/configmaps`,
      { metadata: { name: 'aside' } },
      { because: `revision=${revision}` },
    );
    const late = await patch(
      `${APPS}/deployments/up`,
      { metadata: { labels: { late: 'yes' } } },
      { because: `revision=${revision}` },
    );
    const found = await read<Explanation>(`/history/explain${APPS}/deployments/up?related=true`);
    expect(found.revision).toBe(revisionOf(late));
    expect(found.related?.map(({ object }) => object.name)).toContain('aside');
  });

  it('shows of the chain only what the user may get', async () => {
    const found = await read<Explanation>(`/history/explain${CORE}/pods/up-1-a`, { as: 'reader' });
    expect(found.chain.map(({ object }) => `${object.kind} ${object.name}`)).toEqual([
      'Deployment (not yours to see)',
      'ReplicaSet (not yours to see)',
      'Pod up-1-a',
      'Pod up-1-a',
      'Pod up-1-a',
    ]);
    expect(JSON.stringify(found.chain.slice(0, 2))).not.toMatch(/up-1|alice|nginx/);
  });

  it('explains the end of an object that its owner took along', async () => {
    const owner = await create(`${APPS}/deployments`, workload('Deployment', 'gone'));
    await create(`${APPS}/replicasets`, workload('ReplicaSet', 'gone-1', owner), { agent: KCM });
    await ask(`${APPS}/deployments/gone`, { method: 'DELETE' });
    await ask(`${APPS}/replicasets/gone-1`, { method: 'DELETE', agent: KCM });
    const found = await read<Explanation>(`/history/explain${APPS}/replicasets/gone-1`);
    expect(found.chain.map(({ type, object }) => `${type} ${object.kind}`)).toEqual([
      'DELETED Deployment',
      'DELETED ReplicaSet',
    ]);
  });

  it('says where the history begins when the cause is compacted away', async () => {
    const cut = await create(`${CORE}/configmaps`, { metadata: { name: 'cut' } });
    await create(
      `${CORE}/configmaps`,
      { metadata: { name: 'late' } },
      { because: `revision=${revisionOf(cut)}` },
    );
    const { response } = { response: await patch(`${CORE}/configmaps/cut`, { data: { a: 'b' } }) };
    await client.compact(revisionOf(response));
    const late = await read<Explanation>(`/history/explain${CORE}/configmaps/late`);
    expect(late).toMatchObject({ root: 'compacted', oldest: revisionOf(response) });
    const history = await read<ObjectHistory>(`/history/revisions${CORE}/configmaps/cut`);
    expect(history.oldest).toBe(revisionOf(response));
    const gone = await ask(`/history/diff?from=${revisionOf(cut)}`);
    expect(gone.status).toBe(410);
    expect(gone.json['message']).toMatch(/the oldest revision left is/);
  });
});
