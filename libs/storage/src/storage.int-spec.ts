import { CachedStorage, EtcdClient, EtcdStorage } from '@orrery/storage';
import type { StorageUnderTest } from '@orrery/testkit';
import { storageContract, useEtcd } from '@orrery/testkit';

const etcd = useEtcd();
let subjects = 0;

/** A storage with a client of its own, as an API server has it. */
async function open(cached: boolean, keyspace: string) {
  const client = new EtcdClient({ endpoints: etcd.endpoints });
  const plain = new EtcdStorage({ client, keyspace });
  const cache = new CachedStorage({ storage: plain });
  const controller = new AbortController();
  const stopped = cached ? cache.start(controller.signal) : Promise.resolve();
  if (cached) await cache.ready();
  const stop = async (): Promise<void> => {
    controller.abort();
    await stopped;
    client.close();
  };
  return { storage: cached ? cache : plain, client, stop };
}

async function underTest(cached: boolean): Promise<StorageUnderTest> {
  const keyspace = `${etcd.keyspace}${subjects++}/`;
  const all = [await open(cached, keyspace)];
  const [first] = all;
  if (!first) throw new Error('no storage');
  return {
    storage: first.storage,
    keyspace,
    replica: async () => {
      const another = await open(cached, keyspace);
      all.push(another);
      return another.storage;
    },
    compact: (revision) => first.client.compact(revision),
    stop: async () => {
      for (const each of all) await each.stop();
    },
  };
}

const PARTS = ['write', 'read', 'watch', 'promises'] as const;

storageContract(EtcdStorage.name, () => underTest(false), PARTS);
storageContract(CachedStorage.name, () => underTest(true), PARTS);
