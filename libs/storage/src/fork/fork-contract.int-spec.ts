import { SystemRandom, randomSuffix } from '@orrery/component';
import { CachedStorage, EtcdClient, EtcdStorage, Forks } from '@orrery/storage';
import type { OpenFork, Storage } from '@orrery/storage';
import type { StorageUnderTest } from '@orrery/testkit';
import { podValue, storageContract, useEtcd } from '@orrery/testkit';

const etcd = useEtcd();
let subjects = 0;

/** Some of the keys that the contract works with: the base has them, and they are deleted in the fork. */
const OLD_KEYS = [
  ...['a', 'b', 'c', 'p0', 'p1', 'p2', 'p0000', 'p0001', 'p0009', 'last'].map(
    (name) => `pods/ns1/${name}`,
  ),
  'pods/ns2/a',
  'counters/n',
  'locks/l',
  'leases/ns1/leader',
  'nodes/n',
];

async function underTest(pick: (fork: OpenFork) => Storage): Promise<StorageUnderTest> {
  const client = new EtcdClient({ endpoints: etcd.endpoints });
  const keyspace = `${etcd.keyspace}${subjects++}/`;
  const plain = new EtcdStorage({ client, keyspace });
  const cached = new CachedStorage({ storage: plain });
  const forks = new Forks({ storage: plain, cached });
  const controller = new AbortController();
  const stopped = cached.start(controller.signal);
  await Promise.all(OLD_KEYS.map((key) => plain.create(keyspace + key, podValue(key))));
  const { name } = await forks.create({
    name: `contract-${randomSuffix(new SystemRandom(), 8)}`,
    user: 'spec',
    issuerKey: '',
  });
  const fork = await forks.open(name);
  if (!fork) throw new Error('the fork is not there');
  const storage = pick(fork);
  const { entries } = await storage.list(keyspace, { freshness: { kind: 'consistent' } });
  await Promise.all(entries.map(({ key, revision }) => storage.delete(key, revision)));
  return {
    storage,
    keyspace,
    compact: (revision) => client.compact(revision),
    stop: async () => {
      await forks.remove(name);
      controller.abort();
      await stopped;
      client.close();
    },
  };
}

storageContract('a fork on etcd', () => underTest(({ plain }) => plain));
storageContract('a fork in memory', () => underTest(({ storage }) => storage));
