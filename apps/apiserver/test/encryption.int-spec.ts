import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EtcdClient } from '@orrery/storage';
import { eventually, useEtcd } from '@orrery/testkit';
import { metadataOf, namesOf, startReplica } from './replica.js';
import type { Replica } from './replica.js';

const SECRETS = '/api/v1/namespaces/default/secrets';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const TEMPLATES = '/api/v1/namespaces/default/podtemplates';
const template = {
  metadata: { name: 'one' },
  template: { spec: { containers: [{ name: 'a', image: 'a' }] } },
};
const keyOf = (fill: string): string => Buffer.from(fill.repeat(32)).toString('base64');

const CONFIG = (resources: string, ...providers: string[]): string => `
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: ${resources}
  providers:
${providers.map((provider) => `  - ${provider}`).join('\n')}
`;
const provider = (name: string, key: string, fill: string): string =>
  `${name}: {keys: [{name: ${key}, secret: ${keyOf(fill)}}]}`;
const IDENTITY = 'identity: {}';

describe('an API server that encrypts what it stores', () => {
  const etcd = useEtcd();
  let folder: string;
  let client: EtcdClient;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-encryption-'));
    client = new EtcdClient({ endpoints: etcd.endpoints });
  });

  afterAll(() => {
    client.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  /** What etcd itself holds. */
  const stored = async (key: string): Promise<string> => {
    const { kvs } = await client.call({ kind: 'read', what: key }, (member, options) =>
      member.kv.range({ key: Buffer.from(key) }, options),
    );
    return kvs[0]?.value.toString('latin1') ?? '';
  };

  const start = (keyspace: string, file: string, ...flags: string[]): Promise<Replica> =>
    startReplica({
      etcd: etcd.endpoints,
      keyspace,
      flags: [`--encryption-provider-config=${file}`, ...flags],
      reloadMs: 50,
    });

  const secret = (name: string): object => ({ metadata: { name }, stringData: { a: 'hidden' } });

  it('says which value it cannot read when it cannot start for it', async () => {
    const keyspace = '/lost-key/';
    const one = write('lost-a.yaml', CONFIG('[secrets]', provider('aescbc', 'k1', 'a')));
    const replica = await start(keyspace, one);
    expect((await replica.post(SECRETS, secret('one'))).status).toBe(201);
    await replica.close();
    const other = write('lost-b.yaml', CONFIG('[secrets]', provider('aescbc', 'k2', 'b')));
    await expect(start(keyspace, other, '--storage-initialization-timeout=1s')).rejects.toThrow(
      'what is stored could not be read within --storage-initialization-timeout, 1s: unable to transform key "/lost-key/secrets/default/one": no matching key was found for the provided AES transformer',
    );
  });

  it.each([
    ['aescbc', '16,24,32'],
    ['aesgcm', '16,24,32'],
    ['secretbox', '32'],
  ])('stores Secrets by %s, and nothing else', async (name) => {
    const keyspace = `/${name}/`;
    const file = write(`${name}.yaml`, CONFIG('[secrets]', provider(name, 'k1', 'a'), IDENTITY));
    const replica = await start(keyspace, file);
    try {
      const watch = await replica.watch(`${SECRETS}?watch=true`);
      const made = await replica.post(SECRETS, secret('one'));
      expect(made.status).toBe(201);
      await replica.post(CONFIG_MAPS, { metadata: { name: 'plain' }, data: { a: 'open' } });
      const raw = await stored(`${keyspace}secrets/default/one`);
      expect(raw.startsWith(`k8s:enc:${name}:v1:k1:`)).toBe(true);
      expect(await stored(`${keyspace}configmaps/default/plain`)).toMatch(/^\{"kind":"ConfigMap"/);
      const read = await replica.ask(`${SECRETS}/one`);
      expect(read.json).toEqual(made.json);
      expect(namesOf(await replica.ask(SECRETS))).toContain('one');
      await eventually(() => {
        expect(watch.types()).toContain('ADDED');
      });
      const changed = await replica.patch(`${SECRETS}/one`, 'merge-patch+json', {
        metadata: { labels: { a: 'b' } },
      });
      expect(changed.status).toBe(200);
      const past = await replica.ask(
        `/at/${String(metadataOf(made)['resourceVersion'])}${SECRETS}/one`,
      );
      expect(past.json).toEqual(made.json);
      const gone = await replica.ask(`${SECRETS}/one`, { method: 'DELETE' });
      expect(gone.status).toBe(200);
      watch.response.destroy();
      const { text } = await replica.ask('/metrics');
      expect(text).toMatch(
        new RegExp(
          `apiserver_storage_transformation_operations_total\\{resource="secrets",transformation_type="to_storage",transformer_prefix="k8s:enc:${name}:v1:",status="OK"\\} [1-9]`,
        ),
      );
    } finally {
      await replica.close();
    }
  });

  it('writes again what another key has encrypted, also where nothing is changed', async () => {
    // Of Secrets some are read at the start, without which the server is not ready, as upstream's.
    const keyspace = '/rotate/';
    const at = `${keyspace}podtemplates/default/one`;
    const from = async (config: string, work: (replica: Replica) => Promise<void>) => {
      const replica = await start(keyspace, write('rotate.yaml', config));
      try {
        await work(replica);
      } finally {
        await replica.close();
      }
    };
    const replaced = async (replica: Replica): Promise<void> => {
      const { json } = await replica.ask(`${TEMPLATES}/one`);
      const again = await replica.ask(`${TEMPLATES}/one`, { method: 'PUT', body: json });
      expect(again.status).toBe(200);
    };
    const old = provider('aescbc', 'old', 'a');
    const newer = provider('secretbox', 'new', 'b');
    await from(CONFIG('[podtemplates]', IDENTITY), async (replica) => {
      await replica.post(TEMPLATES, template);
    });
    await from(CONFIG('[podtemplates]', old, IDENTITY), async (replica) => {
      expect(await stored(at)).toMatch(/^\{/);
      await replaced(replica);
      expect(await stored(at)).toMatch(/^k8s:enc:aescbc:v1:old:/);
    });
    await from(CONFIG('[podtemplates]', newer, old, IDENTITY), async (replica) => {
      await replaced(replica);
      const first = await stored(at);
      expect(first).toMatch(/^k8s:enc:secretbox:v1:new:/);
      // It is as it should be: nothing is written.
      await replaced(replica);
      expect(await stored(at)).toBe(first);
    });
    await from(CONFIG('[podtemplates]', old), async (replica) => {
      const { status, json } = await replica.ask(`${TEMPLATES}/one`);
      expect([status, json['message']]).toEqual([
        500,
        `Internal error occurred: unable to transform key "${at}": no matching prefix found`,
      ]);
      expect((await replica.ask(TEMPLATES)).status).toBe(500);
      // What is not concerned goes on.
      expect((await replica.ask(CONFIG_MAPS)).status).toBe(200);
    });
    await from(CONFIG('[limitranges]', old), async (replica) => {
      expect((await replica.ask(`${TEMPLATES}/one`)).json['message']).toBe(
        `Internal error occurred: unable to transform key "${at}": identity transformer tried to read encrypted data`,
      );
    });
    await from(CONFIG('[podtemplates]', IDENTITY, newer), async (replica) => {
      await replaced(replica);
      expect(await stored(at)).toMatch(/^\{"kind":"PodTemplate"/);
    });
  });

  it('reads the file again when it changes', async () => {
    const keyspace = '/reload/';
    const old = provider('aesgcm', 'old', 'a');
    const file = write('reload.yaml', CONFIG('[secrets]', old));
    const flag = '--encryption-provider-config-automatic-reload';
    const replica = await start(keyspace, file, flag);
    try {
      await replica.post(SECRETS, secret('one'));
      write('reload.yaml', 'no configuration');
      await eventually(async () => {
        expect((await replica.ask('/metrics')).text).toMatch(/reloads_total\{status="failure"/);
      });
      expect((await replica.post(SECRETS, secret('meanwhile'))).status).toBe(201);
      write('reload.yaml', CONFIG("['*.*']", provider('aesgcm', 'new', 'b'), old, IDENTITY));
      await eventually(async () => {
        expect((await replica.ask('/metrics')).text).toMatch(/reloads_total\{status="success"/);
      });
      const { json } = await replica.ask(`${SECRETS}/one`);
      await replica.ask(`${SECRETS}/one`, { method: 'PUT', body: json });
      expect(await stored(`${keyspace}secrets/default/one`)).toMatch(/^k8s:enc:aesgcm:v1:new:/);
      await replica.post(CONFIG_MAPS, { metadata: { name: 'all' } });
      expect(await stored(`${keyspace}configmaps/default/all`)).toMatch(/^k8s:enc:aesgcm:v1:new:/);
    } finally {
      await replica.close();
    }
  });

  it('encrypts custom resources, and what forks change', async () => {
    const keyspace = '/custom/';
    const config = CONFIG('[widgets.example.com, secrets]', provider('aescbc', 'k', 'a'), IDENTITY);
    const replica = await start(keyspace, write('custom.yaml', config));
    try {
      const schema = {
        openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      };
      await replica.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
        metadata: { name: 'widgets.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Cluster',
          names: { plural: 'widgets', kind: 'Widget' },
          versions: [{ name: 'v1', served: true, storage: true, schema }],
        },
      });
      const widgets = '/apis/example.com/v1/widgets';
      await eventually(async () => {
        expect((await replica.ask(widgets)).status).toBe(200);
      });
      const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'one' } };
      expect((await replica.post(widgets, widget)).status).toBe(201);
      expect(await stored(`${keyspace}example.com/widgets/one`)).toMatch(/^k8s:enc:aescbc/);
      await replica.post(SECRETS, secret('shared'));
      await replica.post(SECRETS, secret('removed'));
      expect((await replica.post('/forks', { name: 'x' })).status).toBe(201);
      const inFork = `/forks/x${SECRETS}`;
      for (const labels of [{ a: 'b' }, { a: 'c' }])
        expect(
          (await replica.patch(`${inFork}/shared`, 'merge-patch+json', { metadata: { labels } }))
            .json,
        ).toMatchObject({ metadata: { labels } });
      expect((await replica.ask(`${inFork}/removed`, { method: 'DELETE' })).status).toBe(200);
      expect((await replica.post(inFork, secret('removed'))).status).toBe(201);
      expect((await replica.post(inFork, secret('own'))).status).toBe(201);
      expect(namesOf(await replica.ask(inFork))).toEqual(['own', 'removed', 'shared']);
      for (const name of ['shared', 'removed', 'own'])
        expect(await stored(`/forks/x${keyspace}secrets/default/${name}`)).toMatch(
          /^(over \d+ created \S+\n)?k8s:enc:aescbc:v1:k:/,
        );
      expect((await replica.ask(`${inFork}/shared`)).json).toMatchObject({
        metadata: { labels: { a: 'c' } },
      });
    } finally {
      await replica.close();
    }
  });
});
