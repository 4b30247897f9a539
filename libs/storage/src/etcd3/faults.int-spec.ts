import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CachedStorage,
  EtcdClient,
  EtcdStorage,
  StorageError,
  isOutcomeUnknown,
} from '@orrery/storage';
import {
  WatchRecorder,
  eventually,
  podValue,
  startEtcd,
  startTcpFaultProxy,
} from '@orrery/testkit';
import type { TcpFaultProxy, TestEtcd } from '@orrery/testkit';

const EVENTS = 5000;
/** `npm run bench watch-cuts` does 100, through API servers. */
const CUTS = 20;
const CONSISTENT = { freshness: { kind: 'consistent' } } as const;

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('faults between a client and a single member', () => {
  let etcd: TestEtcd;
  let proxy: TcpFaultProxy;
  let direct: EtcdStorage;
  let through: EtcdClient;

  beforeAll(async () => {
    etcd = await startEtcd();
    proxy = await startTcpFaultProxy(etcd.member.endpoint);
    direct = new EtcdStorage({ client: new EtcdClient({ endpoints: etcd.endpoints }) });
    through = new EtcdClient({ endpoints: [proxy.url], requestTimeoutMs: 2000 });
  }, 30_000);

  afterAll(async () => {
    through.close();
    direct.client.close();
    await proxy.close();
    await etcd.stop();
  });

  async function createMany(prefix: string, count: number): Promise<void> {
    let next = 0;
    const writer = async (): Promise<void> => {
      while (next < count) {
        const name = `p${next++}`;
        await direct.create(prefix + name, podValue(name, 'x'.repeat(200)));
      }
    };
    await Promise.all(Array.from({ length: 64 }, writer));
  }

  it.each([
    { name: 'watch of a prefix', cuts: [400_000] },
    { name: 'watch of a prefix, cut over and over', cuts: [60_000, 300_000, 90_000, 500_000] },
  ])(
    'loses no event of a catch-up that is cut: $name',
    async ({ cuts }) => {
      const prefix = `/registry/pods/cut-${cuts.length}/`;
      const after = await direct.revision();
      await createMany(prefix, EVENTS);
      const acceptedBefore = proxy.accepted;
      proxy.cutAfter(cuts[0] ?? 0);
      const watch = new WatchRecorder(new EtcdStorage({ client: through }), prefix, { after });
      for (const [i, bytes] of cuts.slice(1).entries()) {
        await eventually(() => proxy.accepted > acceptedBefore + 1 + i, { intervalMs: 2 });
        proxy.cutAfter(bytes);
      }
      await watch.until(EVENTS, 30_000);
      const revisions = watch.events.map(({ revision }) => revision);
      expect(proxy.accepted).toBeGreaterThan(acceptedBefore + 1);
      expect(revisions).toHaveLength(EVENTS);
      expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
      expect(new Set(watch.events.map(({ entry }) => entry.key)).size).toBe(EVENTS);
      await watch.stop();
    },
    60_000,
  );

  it(`loses no event and repeats none in ${CUTS} cuts of the connections under load`, async () => {
    const plain = new EtcdStorage({ client: through });
    const cache = new CachedStorage({ storage: plain });
    const controller = new AbortController();
    const stopped = cache.start(controller.signal);
    await cache.ready();
    const prefix = '/registry/configmaps/ns1/';
    const after = await direct.revision();
    const watches = [cache, plain].map((each) => new WatchRecorder(each, prefix, { after }));
    const written: number[] = [];
    let cutting = true;
    const writer = async (name: string): Promise<void> => {
      for (let i = 0; cutting; i++) {
        const key = `${prefix}${name}-${i}`;
        const { revision } = await direct.create(key, podValue(name, 'x'.repeat(500)));
        written.push(revision);
      }
    };
    const writing = Promise.all(['a', 'b', 'c', 'd'].map(writer));
    for (let i = 0; i < CUTS; i++) {
      const seen = watches.map(({ events }) => events.length);
      await eventually(() => watches.every(({ events }, at) => events.length > (seen[at] ?? 0)), {
        intervalMs: 2,
      });
      proxy.cut();
    }
    cutting = false;
    await writing;
    const wanted = written.toSorted((a, b) => a - b);
    for (const watch of watches) {
      await watch.until(wanted.length, 20_000);
      expect(watch.events.map(({ revision }) => revision)).toEqual(wanted);
      await watch.stop();
    }
    const list = await eventually(() => cache.list(prefix, CONSISTENT));
    expect(list.entries).toHaveLength(wanted.length);
    controller.abort();
    await stopped;
  }, 60_000);

  it('calls the outcome of a write unknown when the answer is lost, though it was applied', async () => {
    const key = '/registry/pods/ns1/lost-answer';
    const storage = new EtcdStorage({ client: through });
    await storage.revision();
    proxy.muteAnswers = true;
    const failure = failureOf(storage.create(key, podValue('lost-answer')));
    const applied = await eventually(async () => {
      const entry = await direct.get(key, CONSISTENT);
      if (!entry) throw new Error('not applied yet');
      return entry;
    });
    proxy.muteAnswers = false;
    proxy.cut();
    const error = await failure;
    expect(isOutcomeUnknown(error)).toBe(true);
    expect(String(error)).toContain('outcome is unknown');
    const readBack = await eventually(() => storage.get(key, CONSISTENT));
    expect(readBack && readBack.revision === applied.revision).toBe(true);
  }, 20_000);

  it('calls the outcome unknown when no answer comes in time', async () => {
    const storage = new EtcdStorage({ client: through });
    await eventually(() => storage.revision());
    proxy.blackHole = true;
    const error = await failureOf(storage.create('/registry/pods/ns1/silent', podValue('silent')));
    proxy.blackHole = false;
    proxy.cut();
    expect(error).toMatchObject({ code: 'timeout' });
    expect(isOutcomeUnknown(error)).toBe(true);
    await eventually(() => storage.revision());
  }, 20_000);

  it('says that nothing was written when no member can be reached', async () => {
    const client = new EtcdClient({ endpoints: ['http://127.202.9.9:2379'] });
    const error = await failureOf(
      new EtcdStorage({ client }).create('/registry/a/b', podValue('b')),
    );
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(isOutcomeUnknown(error)).toBe(false);
    client.close();
  });

  it('refuses a value that is too large by name', async () => {
    const error = await failureOf(
      direct.create('/registry/a/big', podValue('big', 'x'.repeat(1_700_000))),
    );
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ code: 'tooLarge' });
    const fits = await direct.create('/registry/a/fits', podValue('fits', 'x'.repeat(1_450_000)));
    expect((await direct.get('/registry/a/fits', CONSISTENT))?.revision).toBe(fits.revision);
  });

  it('names the key of a value that is not JSON', async () => {
    const { client } = direct;
    await client.member().unary.library.put('/registry/pods/ns1/broken').value('{"metadata":{');
    const entry = await direct.get('/registry/pods/ns1/broken', CONSISTENT);
    expect(() => entry?.object).toThrow('/registry/pods/ns1/broken');
    expect(() => entry?.bytes).toThrow(StorageError);
    await client.member().unary.library.delete().key('/registry/pods/ns1/broken');
  });
});

describe('faults of the members of a cluster', () => {
  let etcd: TestEtcd;

  beforeAll(async () => {
    etcd = await startEtcd({ members: 3 });
  }, 40_000);

  afterAll(() => etcd.stop());

  it('keeps watching and writing while each member in turn is paused and killed', async () => {
    const client = new EtcdClient({ endpoints: etcd.endpoints, requestTimeoutMs: 3000 });
    const cache = new CachedStorage({ storage: new EtcdStorage({ client }) });
    const controller = new AbortController();
    const stopped = cache.start(controller.signal);
    await cache.ready();
    const prefix = '/registry/pods/ns1/';
    const watch = new WatchRecorder(cache, prefix, { after: await cache.revision() });
    const acknowledged: string[] = [];
    const write = async (name: string): Promise<void> => {
      const failure = await failureOf(cache.create(prefix + name, podValue(name)));
      if (failure === undefined) acknowledged.push(name);
    };
    for (const member of etcd.members) {
      member.pause();
      for (let i = 0; i < 5; i++) await write(`paused-${member.name}-${i}`);
      member.resume();
      await member.kill();
      for (let i = 0; i < 5; i++) await write(`killed-${member.name}-${i}`);
      await member.start();
    }
    await eventually(() => write('last').then(() => acknowledged.includes('last')));
    expect(acknowledged.length).toBeGreaterThan(15);
    const list = await eventually(() => cache.list(prefix, CONSISTENT));
    const stored = new Set(list.entries.map(({ object }) => object.metadata.name));
    expect(acknowledged.filter((name) => !stored.has(name))).toEqual([]);
    await watch.until(stored.size);
    expect(watch.error).toBeUndefined();
    expect(new Set(watch.events.map(({ entry }) => entry.object.metadata.name))).toEqual(stored);
    expect(watch.events).toHaveLength(stored.size);
    await watch.stop();
    controller.abort();
    await stopped;
    client.close();
  }, 90_000);
});
