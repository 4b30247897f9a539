import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@orrery/component';
import { EtcdClient, EtcdStorage, findEtcd, findRestoreTool } from '@orrery/storage';
import type { FoundEtcd } from '@orrery/storage';
import { eventually } from '@orrery/testkit';
import { etcdDataDir, etcdProcesses } from '../cluster/etcd.js';
import { ClusterFiles, addressesOf } from '../cluster/layout.js';
import { etcdEndpoints } from '../cluster/plan.js';
import type { PlanInput } from '../cluster/plan.js';
import { Supervisor } from '../supervisor/supervisor.js';
import { etcd } from './etcd-command.js';
import { Membership } from './membership.js';
import { restoreCluster } from './restore.js';
import { RunningEtcd } from './running-etcd.js';

const KEY = '/registry/configmaps/default/kept';
const VALUE = Buffer.from('{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"kept"}}');
const CONSISTENT = { freshness: { kind: 'consistent' } } as const;
const clock = new SystemClock();

describe('the etcd of a running cluster', () => {
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'orrery-members-'));
  const files = new ClusterFiles(dir);
  const input: PlanInput = {
    files,
    addresses: addressesOf(222),
    etcdMembers: 1,
    nodes: 1,
    grouping: 'grouped',
    standby: false,
    extraArgs: {},
    componentDir: dir,
    nodeBinary: process.execPath,
  };
  const supervisor = new Supervisor(clock, () => undefined);
  /** The members that the API server was last started with. */
  let served: readonly string[] = [];
  let found: FoundEtcd;
  let running: RunningEtcd;
  let membership: Membership;

  beforeAll(async () => {
    found = await findEtcd({ cacheDir: '/nowhere', allowInstall: false });
    for (const folder of [files.run(), files.logs()]) mkdirSync(folder, { recursive: true });
    for (const spec of etcdProcesses(input, found.path)) supervisor.add(spec);
    const apiServer = {
      stop: () => Promise.resolve(),
      start: (now: PlanInput) => {
        served = etcdEndpoints(now);
        return Promise.resolve();
      },
    };
    running = new RunningEtcd({ input, etcd: found, supervisor, clock, apiServer });
    membership = new Membership(running);
    await running.healthy(1);
    await ask((storage) => storage.create(KEY, VALUE));
  }, 30_000);

  afterAll(async () => {
    await supervisor.stopAll([]);
    rmSync(dir, { recursive: true, force: true });
  });

  const ask = <T>(run: (storage: EtcdStorage) => Promise<T>): Promise<T> =>
    running.ask((_, client) => run(new EtcdStorage({ client })));

  /** Name and vote of each member, as etcd itself has them. */
  const members = (): Promise<string[]> =>
    running.ask(async (admin) =>
      (await admin.members()).map(({ name, isLearner }) => name + (isLearner ? ' learns' : '')),
    );

  const lines = async (run: (say: (text: string) => void) => Promise<void>): Promise<string[]> => {
    const said: string[] = [];
    await run((text) => said.push(text));
    return said;
  };

  it('grows from one to three members that vote and have the data', async () => {
    const said = await lines((say) => membership.add(2, say));
    expect(said.at(-1)).toBe('etcd has 3 members (etcd-1, etcd-2, etcd-3) and bears the loss of 1');
    expect(await members()).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
    expect(served).toEqual([1, 2, 3].map((n) => `http://127.222.0.20${n}:2379`));
    const third = new EtcdClient({ endpoints: served.slice(2) });
    const entry = await new EtcdStorage({ client: third }).get(KEY, CONSISTENT);
    expect(entry?.object.metadata.name).toBe('kept');
    third.close();
  }, 40_000);

  it('puts a new member in the place of one whose data is lost', async () => {
    await running.stopMember(2);
    rmSync(etcdDataDir(input, 2), { recursive: true, force: true });
    await membership.replace('etcd-2', () => undefined);
    expect(await members()).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
    const second = new EtcdClient({ endpoints: ['http://127.222.0.202:2379'] });
    expect(await new EtcdStorage({ client: second }).get(KEY, CONSISTENT)).toBeDefined();
    second.close();
  }, 40_000);

  it('shrinks to any one of them, and a later start knows which', async () => {
    await membership.remove('etcd-1', () => undefined);
    const said = await lines((say) => membership.remove(undefined, say));
    expect(said.at(-1)).toBe('etcd has 1 member (etcd-2) and bears the loss of 0');
    expect(await members()).toEqual(['etcd-2']);
    expect(served).toEqual(['http://127.222.0.202:2379']);
    expect(JSON.parse(readFileSync(files.settings, 'utf8'))).toMatchObject({
      etcdMembers: 1,
      etcdNumbers: [2],
    });
    const manifests = readdirSync(files.node('k8s-01', 'manifests'));
    expect(manifests.filter((name) => name.startsWith('etcd'))).toEqual(['etcd-2.yaml']);
    expect(readdirSync(files.etcd())).toEqual(['etcd-2']);
  }, 40_000);

  it.each([
    {
      name: 'removing the only member',
      run: (m: Membership) => m.remove(undefined, () => undefined),
      says: /etcd-2 is the only member, and has all data/,
    },
    {
      name: 'removing a stranger',
      run: (m: Membership) => m.remove('etcd-9', () => undefined),
      says: /no member etcd-9; one of etcd-2/,
    },
    {
      name: 'adding too many',
      run: (m: Membership) => m.add(7, () => undefined),
      says: /it can get 1 to 6 more/,
    },
    {
      name: 'replacing nobody',
      run: (m: Membership) => m.replace(undefined, () => undefined),
      says: /needs the name of a member/,
    },
    {
      name: 'replacing the only member',
      run: (m: Membership) => m.replace('etcd-2', () => undefined),
      says: /restore a snapshot instead/,
    },
  ])('refuses $name', async ({ run, says }) => {
    await expect(run(membership)).rejects.toThrow(says);
    expect(await members()).toEqual(['etcd-2']);
  });

  it('starts again from a snapshot in a new epoch, or says what it lacks', async () => {
    const file = join(dir, 'snapshot.db');
    const saved = await lines((say) =>
      etcd(['snapshot', 'save', file, `--endpoints=${served.join(',')}`], say),
    );
    expect(saved[0]).toMatch(/^Snapshot saved at .*snapshot\.db \(\d+/);
    const lost = await ask((storage) => storage.create(`${KEY}-not`, VALUE));
    const restoring = lines((say) => restoreCluster(running, { file }, say));
    const tool = await findRestoreTool(found).catch(() => undefined);
    // Distributions have the tool in a package of its own.
    const said = await restoring.catch((error: unknown) => [String(error)]);
    expect(said.join('\n')).toMatch(
      tool ? /a new epoch begins at revision \d+/ : /takes etcdutl or etcdctl/,
    );
    if (!tool) return;
    const first = Number(/epoch begins at revision (\d+)/.exec(said.join('\n'))?.[1]);
    expect(first).toBeGreaterThan(lost.revision);
    expect(await eventually(() => ask((storage) => storage.get(KEY, CONSISTENT)))).toBeDefined();
    expect(await ask((storage) => storage.get(`${KEY}-not`, CONSISTENT))).toBeUndefined();
    const old = { freshness: { kind: 'exact', revision: lost.revision } } as const;
    await expect(ask((storage) => storage.get(KEY, old))).rejects.toMatchObject({
      code: 'compacted',
    });
    expect(readdirSync(files.etcd()).toSorted()).toEqual(['etcd-2', 'etcd-2.before-restore']);
  }, 40_000);

  it('refuses a snapshot that is none, and leaves the data alone', async () => {
    const restoring = restoreCluster(running, { file: files.settings }, () => undefined);
    await expect(restoring).rejects.toThrow(/cannot be restored|takes etcdutl or etcdctl/);
    expect(await ask((storage) => storage.get(KEY, CONSISTENT))).toBeDefined();
  }, 20_000);
});
