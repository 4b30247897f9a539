import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEtcd } from '@orrery/testkit';
import type { TestEtcd } from '@orrery/testkit';
import { EtcdClient } from '../etcd3/etcd-client.js';
import { fillKeyspace, readKeyspace } from './stored-objects.js';

describe('the objects of a keyspace', () => {
  let etcd: TestEtcd;
  let client: EtcdClient;

  beforeAll(async () => {
    etcd = await startEtcd();
    client = new EtcdClient({ endpoints: etcd.endpoints });
  });
  afterAll(async () => {
    client.close();
    await etcd.stop();
  });

  it('are read and filled into another one, in more than one transaction', async () => {
    const objects = Array.from({ length: 230 }, (_, i) => ({
      key: `roles/r${String(i).padStart(3, '0')}`,
      value: `{"n":${i}}`,
    }));
    await fillKeyspace(client, '/a/', objects);
    await fillKeyspace(client, '/ab/', [{ key: 'roles/other', value: '{}' }]);
    expect(await readKeyspace(client, '/a/')).toEqual(objects);
  });
});
