import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CachedStorage,
  EPOCH_KEY,
  EtcdAdmin,
  EtcdClient,
  EtcdStorage,
  beginEpoch,
  findEtcd,
  findRestoreTool,
  restoreSnapshot,
  startManagedEtcd,
} from '@orrery/storage';
import type { FoundEtcd, ManagedEtcd, MemberAddress, RestoreTool } from '@orrery/storage';
import {
  WatchRecorder,
  codeOf,
  eventually,
  freeAddress,
  podValue,
  startEtcd,
  startTcpFaultProxy,
} from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';

const CONSISTENT = { freshness: { kind: 'consistent' } } as const;
const exactly = (revision: number) => ({ freshness: { kind: 'exact', revision } }) as const;
const PREFIX = '/registry/pods/ns1/';

/** A cache over this client, until it is stopped. */
async function startCache(client: EtcdClient) {
  const storage = new EtcdStorage({ client });
  const cache = new CachedStorage({ storage });
  const controller = new AbortController();
  const stopped = cache.start(controller.signal);
  await cache.ready();
  const stop = async (): Promise<void> => {
    controller.abort();
    await stopped;
    client.close();
  };
  return { storage, cache, stop };
}

describe('a change of the epoch', () => {
  let etcd: TestEtcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  }, 30_000);
  afterAll(() => etcd.stop());

  it('ends watches, and refuses revisions from before it though etcd still has them', async () => {
    const client = new EtcdClient({ endpoints: etcd.endpoints });
    const { cache, storage, stop } = await startCache(client);
    const before = await cache.create(`${PREFIX}before`, podValue('before'));
    const watch = new WatchRecorder(cache, PREFIX, { after: before.revision });
    await eventually(() => cache.list(PREFIX, CONSISTENT));
    await client.member().unary.library.put(EPOCH_KEY).value('2');
    await eventually(() => watch.error !== undefined);
    expect(watch.error).toMatchObject({ code: 'compacted' });
    const list = await eventually(() => cache.list(PREFIX, CONSISTENT));
    expect(list.entries).toHaveLength(1);
    expect(await codeOf(cache.list(PREFIX, exactly(before.revision)))).toBe('compacted');
    expect(await codeOf(storage.list(PREFIX, exactly(before.revision)))).toBe('resolved');
    const old = await new WatchRecorder(cache, PREFIX, { after: before.revision }).until(1);
    expect(old.error).toMatchObject({ code: 'compacted' });
    const fresh = new WatchRecorder(cache, PREFIX, { after: list.revision });
    await cache.create(`${PREFIX}after`, podValue('after'));
    await fresh.until(1);
    expect(fresh.lines).toHaveLength(1);
    await fresh.stop();
    await stop();
  }, 20_000);
});

describe('an etcd that is restored from a snapshot', () => {
  let folder: string;
  let found: FoundEtcd;
  let tool: RestoreTool | undefined;
  let member: MemberAddress;
  let running: ManagedEtcd | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'orrery-epoch-'));
    found = await findEtcd({ cacheDir: '/nowhere', allowInstall: false });
    tool = await findRestoreTool(found).catch(() => undefined);
    const [client, peer] = [await freeAddress(), await freeAddress()];
    member = {
      name: 'm1',
      dataDir: join(folder, 'm1'),
      clientUrl: `http://${client.host}:${client.port}`,
      peerUrl: `http://${peer.host}:${peer.port}`,
    };
  }, 30_000);

  afterAll(async () => {
    await running?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    running = await startManagedEtcd({ binary: found.path, members: [member] });
    await running.ready();
  }

  it('tells by which program a snapshot can be restored', async () => {
    const finding = findRestoreTool({ ...found, version: '3.9.0' });
    await expect(finding).rejects.toThrow(/takes etcdutl or etcdctl 3\.9.*ORRERY_ETCDUTL_BIN/);
  });

  it('never continues a watch in another past, and begins a new epoch above every old revision', async () => {
    // Distributions have the tool in a package of its own: without it etcd comes back empty, which is another past too.
    const kept = tool ? 10 : 0;
    await start();
    const direct = new EtcdStorage({ client: new EtcdClient({ endpoints: [member.clientUrl] }) });
    await using proxy = await startTcpFaultProxy(member.clientUrl);
    const { cache, storage, stop } = await startCache(new EtcdClient({ endpoints: [proxy.url] }));
    for (let i = 0; i < 10; i++) await direct.create(`${PREFIX}kept-${i}`, podValue(`kept-${i}`));
    const file = join(folder, 'snapshot.db');
    const pieces: Buffer[] = [];
    for await (const piece of new EtcdAdmin(direct.client).snapshot()) pieces.push(piece);
    await writeFile(file, Buffer.concat(pieces));
    const watches = [cache, storage].map((each) => new WatchRecorder(each, PREFIX, { after: 1 }));
    for (let i = 0; i < 10; i++) await direct.create(`${PREFIX}lost-${i}`, podValue(`lost-${i}`));
    for (const watch of watches) await watch.until(20);
    const head = await direct.revision();

    // Back in the past, and on: the new history has passed the old head before anyone comes back.
    proxy.refuse = true;
    proxy.cut();
    await running?.stop();
    renameSync(member.dataDir, join(folder, 'before'));
    if (tool) await restoreSnapshot({ tool, snapshot: file, token: 'restored', members: [member] });
    await start();
    const restored = await eventually(() => direct.revision());
    expect(restored).toBeLessThan(head);
    for (let i = 0; i < 30; i++) await direct.create(`${PREFIX}new-${i}`, podValue(`new-${i}`));
    expect(await direct.revision()).toBeGreaterThan(head);
    proxy.refuse = false;
    for (const watch of watches) {
      await eventually(() => watch.error !== undefined, { timeoutMs: 10_000 });
      expect(watch.error).toMatchObject({ code: 'compacted' });
      expect(watch.events).toHaveLength(20);
    }
    const list = await eventually(() => cache.list(PREFIX, CONSISTENT), { timeoutMs: 10_000 });
    expect(list.entries).toHaveLength(kept + 30);

    const now = await direct.revision();
    const first = await beginEpoch(direct.client, { above: now + 500 });
    expect(first).toBeGreaterThan(now + 500);
    for (const each of [cache, storage]) {
      const old = await new WatchRecorder(each, PREFIX, { after: now }).until(1);
      expect(old.error).toMatchObject({ code: 'compacted' });
      expect(await eventually(() => codeOf(each.list(PREFIX, exactly(head))))).toBe('compacted');
    }
    const last = await eventually(() => cache.list(PREFIX, CONSISTENT));
    expect(last.entries).toHaveLength(kept + 30);
    await stop();
    direct.client.close();
  }, 40_000);
});
