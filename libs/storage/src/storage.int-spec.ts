import { CachedStorage, EtcdClient, EtcdStorage } from '@orrery/storage';
import type { StorageUnderTest } from '@orrery/testing';
import { storageContract, useEtcd } from '@orrery/testing';

const etcd = useEtcd();
let subjects = 0;

async function underTest(cached: boolean): Promise<StorageUnderTest> {
  const client = new EtcdClient({ endpoints: etcd.endpoints });
  const keyspace = `${etcd.keyspace}${subjects++}/`;
  const plain = new EtcdStorage({ client, keyspace });
  const cache = new CachedStorage({ storage: plain });
  const controller = new AbortController();
  const stopped = cached ? cache.start(controller.signal) : Promise.resolve();
  if (cached) await cache.ready();
  return {
    storage: cached ? cache : plain,
    keyspace,
    compact: async (revision) => {
      await client.compact(revision);
    },
    stop: async () => {
      controller.abort();
      await stopped;
      client.close();
    },
  };
}

storageContract(EtcdStorage.name, () => underTest(false));
storageContract(CachedStorage.name, () => underTest(true));
