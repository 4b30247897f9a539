import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SteppedClock } from '@orrery/component';
import { EtcdClient, EtcdStorage, History, Pins, Retention, readFloor } from '@orrery/storage';
import type { RetentionNotice, Space } from '@orrery/storage';
import type { TestEtcd } from '@orrery/testkit';
import { codeOf, podValue, startEtcd } from '@orrery/testkit';

/** An hour in brief: long beside what a test takes. */
const HOUR = 20_000;
const cause = { cause: { user: 'spec' } };
const clock = new SteppedClock();
let etcd: TestEtcd;
let client: EtcdClient;
let live: EtcdStorage;
let history: History;
let pins: Pins;
let names = 0;
let space: Space = { inUse: 1, quota: 100 };
let notices: RetentionNotice[] = [];

const kinds = (): string[] => notices.map(({ kind }) => kind);

async function write(count = 1): Promise<number> {
  let revision = 0;
  for (let i = 0; i < count; i++) {
    const name = `p${names++}`;
    ({ revision } = await live.create(`/registry/pods/ns1/${name}`, podValue(name), cause));
  }
  return revision;
}

const retention = (): Retention =>
  new Retention({
    client,
    history: new History(live),
    retentionMs: 24 * HOUR,
    intervalMs: 60_000,
    space: () => Promise.resolve(space),
    notify: (notice) => notices.push(notice),
  });

beforeAll(async () => {
  etcd = await startEtcd();
  client = new EtcdClient({ endpoints: etcd.endpoints, clock });
  live = new EtcdStorage({ client });
  history = new History(live);
  pins = new Pins(client);
}, 30_000);

afterAll(async () => {
  client.close();
  await etcd.stop();
});

beforeEach(async () => {
  notices = [];
  space = { inUse: 1, quota: 100 };
  for (const { id } of await pins.all()) await pins.release(id);
});

describe(Retention.name, () => {
  it('keeps what is younger than the retention, and lets go of the rest', async () => {
    const old = await write(5);
    await clock.step(20 * HOUR, 0);
    const young = await write(5);
    await retention().round();
    expect(await history.has(old - 3)).toBe(true);
    await clock.step(5 * HOUR, 0);
    await write();
    await retention().round();
    expect((await history.range()).oldest).toBe(old);
    expect((await readFloor(client)).revision).toBe(old);
    expect(await history.has(old - 1)).toBe(false);
    expect(await history.has(young)).toBe(true);
    expect(notices).toEqual([{ kind: 'compacted', revision: old, short: false }]);
  });

  it('never passes a live pin, says so once, and goes on when its time is over', async () => {
    const pinned = await write(3);
    const pin = {
      revision: pinned,
      owner: 'a spec',
      time: clock.now(),
      deadline: clock.now() + 40 * HOUR,
    };
    await pins.create('spec', pin);
    await clock.step(30 * HOUR, 0);
    await write(3);
    const keeper = retention();
    await keeper.round();
    await keeper.round();
    expect(await history.has(pinned)).toBe(true);
    expect(await history.has(pinned - 1)).toBe(false);
    expect(kinds()).toEqual(['held', 'compacted']);
    await clock.step(30 * HOUR, 0);
    await write();
    await keeper.round();
    expect(await history.has(pinned)).toBe(false);
    expect(kinds()).toEqual(['held', 'compacted', 'ended', 'compacted']);
  });

  it('cuts history short when etcd fills, and lets a pin go by name when it is nearly full', async () => {
    const pinned = await write();
    await pins.create('fork-x', { revision: pinned, owner: 'fork x', time: clock.now() });
    const last = await write(1200);
    space = { inUse: 60, quota: 100 };
    await retention().round();
    expect(await history.has(pinned)).toBe(true);
    space = { inUse: 80, quota: 100 };
    expect(await retention().round()).toBe(true);
    expect(await history.has(pinned)).toBe(false);
    expect(notices.find(({ kind }) => kind === 'expired')).toMatchObject({
      pin: { id: 'fork-x', owner: 'fork x', revision: pinned },
    });
    expect(await history.has(last - 900)).toBe(true);
    await retention().round();
    await retention().round();
    notices = [];
    await retention().round();
    expect(kinds()).toEqual(['full']);
  }, 20_000);

  it('lets go of a pin whose revision somebody else has compacted', async () => {
    const pinned = await write();
    await pins.create('late', { revision: pinned, owner: 'spec', time: clock.now() });
    await client.compact(await write(2));
    await retention().round();
    expect(notices).toMatchObject([{ kind: 'lost', pin: { id: 'late' } }]);
    expect(await pins.all()).toEqual([]);
  });

  it('compacts once, though several replicas want to', async () => {
    await write(3);
    await clock.step(30 * HOUR, 0);
    await write();
    await Promise.all([retention().round(), retention().round(), retention().round()]);
    expect(kinds()).toEqual(['compacted']);
  });
});

describe(Pins.name, () => {
  it('refuses a revision that is below the floor, and names the oldest', async () => {
    const { revision } = await readFloor(client);
    const late = pins.create('late', { revision: revision - 1, owner: 'spec', time: 0 });
    await expect(late).rejects.toMatchObject({ code: 'compacted', detail: { revision } });
  });

  it('either is seen by a compactor or sees its floor, whoever comes first', async () => {
    for (let i = 0; i < 5; i++) {
      const revision = (await write(2)) - 1;
      await clock.step(30 * HOUR, 0);
      await write();
      const pinning = pins.create(`race-${i}`, { revision, owner: 'spec', time: clock.now() });
      const [made] = await Promise.allSettled([pinning, retention().round()]);
      expect(await history.has(revision)).toBe(made.status === 'fulfilled');
      expect(await codeOf(pinning)).toBe(made.status === 'fulfilled' ? 'resolved' : 'compacted');
    }
  });

  it('is renewed and released', async () => {
    const revision = await write();
    const record = { revision, owner: 'spec', time: clock.now(), deadline: clock.now() + HOUR };
    const first = await pins.create('mine', record);
    await pins.create('mine', { ...record, deadline: clock.now() + 2 * HOUR });
    expect(await pins.release('mine', first.modRevision)).toBe(false);
    expect((await pins.live(clock.now() + 1.5 * HOUR)).map(({ id }) => id)).toEqual(['mine']);
    expect(await pins.release('mine')).toBe(true);
    expect(await pins.all()).toEqual([]);
  });
});
