import type { KubeObject } from '@orrery/apimachinery';
import { describe, expect, it } from '@jest/globals';
import type { ChainReader } from './chain.js';
import { explainWrite } from './chain.js';
import type { Actor, Explanation, LoggedWrite } from './model.js';
import { HistoryGone } from './model.js';
import { explanationPage, explanationPicture } from './picture.js';
import { isOwnedBy } from './relations.js';
import { describeRoot, stepsOf } from './steps.js';
import { toWrite } from './to-write.js';
import type { CauseFacts } from './to-write.js';

const ALICE: Actor = { user: 'alice', agent: 'kubectl/v1', manager: 'kubectl-create' };
const KCM: Actor = { user: 'alice', agent: 'kube-controller-manager/v1.20.2' };
const SCHEDULER: Actor = { user: 'system:kube-scheduler', agent: 'kube-scheduler' };
const KUBELET: Actor = { user: 'system:node:n1', agent: 'kubelet/v1.20.2' };

const GROUPS: Readonly<Record<string, string>> = {
  Deployment: 'apps',
  ReplicaSet: 'apps',
  StatefulSet: 'apps',
  Job: 'batch',
  CronJob: 'batch',
};

interface Entry {
  readonly revision: number;
  readonly kind: string;
  readonly name: string;
  readonly actor?: Actor;
  readonly owner?: string;
  readonly reactedTo?: number;
  readonly subresource?: string;
  readonly deleted?: true;
  readonly more?: object;
  readonly sent?: Readonly<Record<string, number>>;
}

const ownersOf = (owner: string): object[] => {
  const [kind = '', name = ''] = owner.split('/');
  const apiVersion = GROUPS[kind] ? `${GROUPS[kind]}/v1` : 'v1';
  return [{ kind, name, uid: owner, apiVersion, controller: true }];
};

function stateOf({ revision, kind, name, owner, more }: Entry, before?: KubeObject): KubeObject {
  const ownerReferences = owner ? ownersOf(owner) : before?.metadata.ownerReferences;
  return {
    kind,
    apiVersion: 'v1',
    metadata: {
      name,
      namespace: 'default',
      uid: `${kind}/${name}`,
      resourceVersion: String(revision),
      ...(ownerReferences ? { ownerReferences } : {}),
    },
    ...more,
  } as KubeObject;
}

function recordOf({
  actor,
  revision,
  reactedTo,
  subresource,
  sent,
}: Entry): CauseFacts | undefined {
  return (
    actor && {
      ...actor,
      time: revision * 1000,
      verb: 'update',
      ...(reactedTo ? { reactedTo } : {}),
      ...(sent ? { sent } : {}),
      ...(subresource ? { subresource } : {}),
    }
  );
}

/** A history in memory, oldest write first. */
class Log implements ChainReader {
  readonly writes: LoggedWrite[] = [];

  constructor(
    entries: readonly Entry[],
    readonly oldest = 0,
  ) {
    for (const entry of entries) this.writes.push(this.toLogged(entry));
  }

  write(revision: number): Promise<LoggedWrite | undefined> {
    if (revision < this.oldest) return Promise.reject(new HistoryGone('compacted'));
    return Promise.resolve(this.writes.find((one) => one.revision === revision));
  }

  newestBefore(
    target: { kind: string; name: string },
    revision: number,
  ): Promise<LoggedWrite | undefined> {
    return Promise.resolve(
      this.writes.findLast(
        ({ object, revision: at }) =>
          at < revision && object.kind === target.kind && object.name === target.name,
      ),
    );
  }

  newestDependent(
    owner: KubeObject,
    { after, before }: { after: number; before: number },
  ): Promise<LoggedWrite | undefined> {
    return Promise.resolve(
      this.writes.findLast(
        ({ revision, after: state }) =>
          revision > after &&
          revision < before &&
          state !== undefined &&
          isOwnedBy(state, owner.metadata.uid),
      ),
    );
  }

  explain(revision: number): Promise<Explanation> {
    const write = this.writes.find((one) => one.revision === revision);
    if (!write) throw new Error(`no write ${revision}`);
    return explainWrite(this, write);
  }

  private toLogged(entry: Entry): LoggedWrite {
    const { revision, kind, name, deleted } = entry;
    const last = this.writes.findLast(({ object }) => object.kind === kind && object.name === name);
    const before = last?.after;
    return toWrite({
      revision,
      type: deleted ? 'DELETED' : before ? 'MODIFIED' : 'ADDED',
      object: {
        group: GROUPS[kind] ?? '',
        version: 'v1',
        kind,
        resource: '',
        namespace: 'default',
        name,
      },
      before,
      after: deleted ? undefined : stateOf(entry, before),
      cause: recordOf(entry),
    });
  }
}

const running = {
  status: {
    containerStatuses: [{ name: 'c', image: 'nginx', state: { running: { startedAt: 'now' } } }],
  },
};

const DEPLOYMENT: readonly Entry[] = [
  { revision: 10, kind: 'Deployment', name: 'web', actor: ALICE },
  {
    revision: 11,
    kind: 'ReplicaSet',
    name: 'web-1',
    owner: 'Deployment/web',
    actor: KCM,
    reactedTo: 10,
  },
  { revision: 12, kind: 'Event', name: 'noise', actor: KCM },
  {
    revision: 13,
    kind: 'Pod',
    name: 'web-1-a',
    owner: 'ReplicaSet/web-1',
    actor: KCM,
    reactedTo: 11,
  },
  {
    revision: 14,
    kind: 'Pod',
    name: 'web-1-a',
    actor: SCHEDULER,
    subresource: 'binding',
    reactedTo: 13,
    more: { spec: { nodeName: 'n1' } },
  },
  {
    revision: 15,
    kind: 'Pod',
    name: 'web-1-a',
    actor: KUBELET,
    subresource: 'status',
    reactedTo: 14,
    more: { spec: { nodeName: 'n1' }, ...running },
  },
  {
    revision: 16,
    kind: 'ReplicaSet',
    name: 'web-1',
    actor: KCM,
    subresource: 'status',
    reactedTo: 15,
    more: { status: { readyReplicas: 1 } },
  },
  {
    revision: 17,
    kind: 'Deployment',
    name: 'web',
    actor: KCM,
    subresource: 'status',
    reactedTo: 16,
    more: { status: { readyReplicas: 1 } },
  },
];

/** Writers that say nothing, to whom everything before their writes had been sent. */
const untold = (entries: readonly Entry[]): Entry[] =>
  entries.map(({ reactedTo: _told, ...entry }) => {
    const upTo = entry.revision - 1;
    return {
      ...entry,
      sent: { 'apps/Deployment': upTo, 'apps/ReplicaSet': upTo, '/Pod': upTo },
    };
  });

const revisions = ({ chain }: Explanation): number[] => chain.map(({ revision }) => revision);

describe('explainWrite()', () => {
  it('walks back over what each writer said it reacted to', async () => {
    const found = await new Log(DEPLOYMENT).explain(17);
    expect(revisions(found)).toEqual([10, 11, 13, 14, 15, 16, 17]);
    expect(found.root).toBe('request');
    expect(found.chain.slice(1).every(({ because }) => because?.how === 'told')).toBe(true);
  });

  it('finds the same chain when nobody says anything, and marks it as inferred', async () => {
    const found = await new Log(untold(DEPLOYMENT)).explain(17);
    expect(revisions(found)).toEqual([10, 11, 13, 14, 15, 16, 17]);
    expect(found.chain.slice(1).map(({ because }) => because?.how)).toEqual(
      Array(6).fill('inferred'),
    );
    expect(found.chain.map(({ because }) => because?.rule)).toEqual([
      undefined,
      'its owner Deployment web',
      'its owner ReplicaSet web-1',
      'the state that another had written before',
      'the state that another had written before',
      'what it owns: Pod web-1-a',
      'what it owns: ReplicaSet web-1',
    ]);
  });

  it.each<{ name: string; sent?: Record<string, number>; want: number[]; rule: string }>([
    {
      name: 'had been sent the newest state of the owner',
      sent: { 'apps/Deployment': 11 },
      want: [11, 12],
      rule: 'its owner Deployment web',
    },
    {
      name: 'had been sent an older state alone',
      sent: { 'apps/Deployment': 10 },
      want: [10, 12],
      rule: 'its owner Deployment web',
    },
    {
      name: 'of whom nothing is known',
      want: [11, 12],
      rule: 'its owner Deployment web; what the writer had been sent is not known',
    },
  ])('infers from what a writer could see that $name', async ({ sent, want, rule }) => {
    const found = await new Log([
      { revision: 10, kind: 'Deployment', name: 'web', actor: ALICE },
      { revision: 11, kind: 'Deployment', name: 'web', actor: ALICE },
      {
        revision: 12,
        kind: 'ReplicaSet',
        name: 'web-1',
        owner: 'Deployment/web',
        actor: KCM,
        ...(sent ? { sent } : {}),
      },
    ]).explain(12);
    expect(revisions(found)).toEqual(want);
    expect(found.chain.at(-1)?.because?.rule).toBe(rule);
  });

  it('goes on with a pod, not with the node that it had to wait for', async () => {
    const waited: Entry[] = [
      ...DEPLOYMENT.slice(0, 4),
      { revision: 14, kind: 'Pod', name: 'web-1-a', actor: SCHEDULER, subresource: 'status' },
      { revision: 15, kind: 'Node', name: 'n1', actor: KUBELET },
      {
        revision: 16,
        kind: 'Pod',
        name: 'web-1-a',
        actor: SCHEDULER,
        subresource: 'binding',
        reactedTo: 15,
        more: { spec: { nodeName: 'n1' } },
      },
    ];
    const found = await new Log(waited).explain(16);
    expect(revisions(found)).toEqual([10, 11, 13, 16]);
    expect(found.root).toBe('request');
    const texts = stepsOf(found).map(({ text }) => text);
    expect(texts.at(-2)).toBe('kube-scheduler sees Pod web-1-a@13, once there is Node n1@15');
  });

  it('tells the whole of it in 13 steps', async () => {
    const steps = stepsOf(await new Log(DEPLOYMENT).explain(17));
    expect(steps.map(({ kind }) => kind)).toEqual([
      'asks',
      'saved',
      'sees',
      'saved',
      'sees',
      'saved',
      'sees',
      'saved',
      'sees',
      'acts',
      'saved',
      'saved',
      'saved',
    ]);
    expect(steps).toHaveLength(13);
  });

  it.each<{
    name: string;
    entries: Entry[];
    of: number;
    want: number[];
    root: Explanation['root'];
  }>([
    {
      name: "a person's change has no cause but the person",
      entries: [...DEPLOYMENT, { revision: 20, kind: 'Deployment', name: 'web', actor: ALICE }],
      of: 20,
      want: [20],
      root: 'request',
    },
    {
      name: 'an owner that is newer than its last change counts as it was before',
      entries: [
        { revision: 1, kind: 'CronJob', name: 'c', actor: ALICE },
        { revision: 2, kind: 'Job', name: 'c-1', owner: 'CronJob/c', actor: KCM },
        { revision: 3, kind: 'CronJob', name: 'c', actor: ALICE },
      ],
      of: 2,
      want: [1, 2],
      root: 'request',
    },
    {
      name: 'a dependent is deleted since its owner was',
      entries: [
        { revision: 1, kind: 'Deployment', name: 'd', actor: ALICE },
        { revision: 2, kind: 'ReplicaSet', name: 'd-1', owner: 'Deployment/d', actor: KCM },
        { revision: 3, kind: 'Deployment', name: 'd', actor: ALICE, deleted: true },
        { revision: 4, kind: 'ReplicaSet', name: 'd-1', actor: KCM, deleted: true },
      ],
      of: 4,
      want: [3, 4],
      root: 'request',
    },
    {
      name: 'an event is about the state that it names',
      entries: [
        { revision: 1, kind: 'Pod', name: 'p', actor: ALICE },
        { revision: 2, kind: 'Pod', name: 'p', actor: KUBELET },
        {
          revision: 3,
          kind: 'Event',
          name: 'e',
          actor: KUBELET,
          more: {
            involvedObject: {
              kind: 'Pod',
              name: 'p',
              namespace: 'default',
              apiVersion: 'v1',
              resourceVersion: '1',
            },
          },
        },
      ],
      of: 3,
      want: [1, 3],
      root: 'request',
    },
    {
      name: 'Endpoints follow the newest pod that they list',
      entries: [
        { revision: 1, kind: 'Service', name: 's', actor: ALICE },
        { revision: 2, kind: 'Pod', name: 'p', actor: ALICE },
        {
          revision: 3,
          kind: 'Endpoints',
          name: 's',
          actor: KCM,
          more: {
            subsets: [
              {
                addresses: [
                  { ip: '1', targetRef: { kind: 'Pod', name: 'p', namespace: 'default' } },
                ],
              },
            ],
          },
        },
      ],
      of: 3,
      want: [2, 3],
      root: 'request',
    },
    {
      name: 'a heartbeat has no cause but the node itself',
      entries: [
        { revision: 1, kind: 'Node', name: 'n', actor: KUBELET },
        { revision: 2, kind: 'Node', name: 'n', actor: KUBELET },
        { revision: 3, kind: 'Node', name: 'n', actor: KUBELET },
      ],
      of: 3,
      want: [3],
      root: 'own-accord',
    },
    {
      name: 'of a write without a record nothing is known',
      entries: [{ revision: 1, kind: 'Pod', name: 'p' }],
      of: 1,
      want: [1],
      root: 'unrecorded',
    },
    {
      name: 'what is said is believed before what could be inferred',
      entries: [
        { revision: 1, kind: 'Deployment', name: 'd', actor: ALICE },
        { revision: 2, kind: 'Node', name: 'n', actor: KUBELET },
        {
          revision: 3,
          kind: 'ReplicaSet',
          name: 'r',
          owner: 'Deployment/d',
          actor: KCM,
          reactedTo: 2,
        },
      ],
      of: 3,
      want: [2, 3],
      root: 'own-accord',
    },
  ])('$name', async ({ entries, of, want, root }) => {
    const found = await new Log(entries).explain(of);
    expect(revisions(found)).toEqual(want);
    expect(found.root).toBe(root);
  });

  it('says where the history begins when the cause lies before it', async () => {
    const found = await new Log(DEPLOYMENT, 14).explain(17);
    expect(revisions(found)).toEqual([14, 15, 16, 17]);
    expect(describeRoot({ ...found, oldest: 14 })).toBe(
      'what came before is compacted away; the oldest revision left is 14',
    );
  });

  it('follows no chain for ever', async () => {
    const entries = Array.from({ length: 100 }, (_, i): Entry => ({
      revision: i + 1,
      kind: 'Pod',
      name: `p${i}`,
      actor: KCM,
      ...(i > 0 ? { reactedTo: i } : {}),
    }));
    const found = await new Log(entries).explain(100);
    expect(found.chain).toHaveLength(64);
    expect(found.root).toBe('limit');
  });
});

describe('explanationPicture()', () => {
  it('draws each write once, with an arrow from each cause, and is a file of its own', async () => {
    const found = await new Log(untold(DEPLOYMENT)).explain(17);
    const picture = explanationPicture(found);
    expect(picture.match(/<rect class="box main"/g)).toHaveLength(7);
    expect(picture.match(/<path class="arrow main inferred"/g)).toHaveLength(6);
    expect(picture).not.toMatch(/(href|src)=/);
    expect(picture.replace(' xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:/);
  });

  it('shows what a user wrote as text, whatever it is', async () => {
    const evil: Actor = { user: '<script>alert(1)</script>', agent: 'a"b' };
    const log = new Log([{ revision: 1, kind: 'ConfigMap', name: '<b>&', actor: evil }]);
    const page = explanationPage(await log.explain(1));
    expect(page).not.toContain('<script>');
    expect(page).not.toContain('<b>&');
    expect(page).toContain('&lt;script&gt;');
  });
});
