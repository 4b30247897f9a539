import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { kinds } from '@orrery/api';
import { eventually, useEtcd } from '@orrery/testkit';
import { createContract } from './kinds/create-contract.js';
import { deleteContract } from './kinds/delete-contract.js';
import { applyContract, updateContract } from './kinds/update-contract.js';
import { coreRows } from './kinds/core-rows.js';
import { extensionRows } from './kinds/extension-rows.js';
import type { KindRows } from './kinds/kind-row.js';
import { networkRows } from './kinds/network-rows.js';
import { Subject, idOf } from './kinds/subject.js';
import { upstreamFacts } from './kinds/upstream-facts.js';
import { workloadRows } from './kinds/workload-rows.js';
import type { Json, OpenWatch, Replica } from './replica.js';
import { metadataOf, startReplica } from './replica.js';

const etcd = useEtcd();
const rows: KindRows = { ...coreRows, ...workloadRows, ...extensionRows, ...networkRows };
/** Answered by asking components, and never written. */
const READ_ONLY = ['core/v1/componentstatuses'];

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

let api: Replica;

beforeAll(async () => {
  const flags = [
    '--disable-admission-plugins=ServiceAccount,Priority',
    '--runtime-config=api/all=true',
    // The server would write conditions of flow schemas between the requests of the contract.
    '--enable-priority-and-fairness=false',
  ];
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags });
}, 60_000);

afterAll(async () => {
  await api.close();
});

const subjects = kinds.flatMap((kind) => {
  const row = rows[idOf(kind)];
  const facts = upstreamFacts.get(idOf(kind));
  return row && facts ? [new Subject(() => api, kind, row, facts)] : [];
});

it('knows every kind that is served', async () => {
  const known = subjects.map(({ kind }) => idOf(kind));
  const { json } = await api.ask('/apis');
  const groups = json['groups'] as { versions: { groupVersion: string }[] }[];
  const paths = groups.flatMap(({ versions }) =>
    versions.map(({ groupVersion }) => `apis/${groupVersion}`),
  );
  const served = await Promise.all(
    ['api/v1', ...paths].map(async (path) => {
      const { resources } = (await api.ask(`/${path}`)).json as {
        resources: { name: string; verbs: string[] }[];
      };
      const base = path.replace(/^apis?\/(v1$)?/, (_, core: string) => (core ? 'core/v1' : ''));
      return resources
        .filter(({ name, verbs }) => !name.includes('/') && verbs.includes('get'))
        .map(({ name }) => `${base}/${name}`);
    }),
  );
  expect(served.flat().sort()).toEqual([...known, ...READ_ONLY].sort());
});

describe.each(subjects.map((subject) => ({ id: idOf(subject.kind), subject })))(
  '$id',
  ({ subject }) => {
    const { kind, facts } = subject;
    let watch: OpenWatch;

    beforeAll(async () => {
      if (subject.namespace)
        await api.post('/api/v1/namespaces', { metadata: { name: subject.namespace } });
      watch = await api.watch(`${subject.collection}?watch=true&allowWatchBookmarks=true`);
    });

    afterAll(() => {
      watch.response.destroy();
    });

    it('is discovered with the names, categories and verbs of upstream', async () => {
      const path = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
      const resources = (await api.ask(path)).json['resources'] as Json[];
      expect(resources.find(({ name }) => name === kind.plural)).toMatchObject({
        kind: kind.kind,
        singularName: kind.kind.toLowerCase(),
        namespaced: kind.scope === 'Namespaced',
        verbs:
          kind.plural === 'namespaces'
            ? VERBS.filter((verb) => verb !== 'deletecollection')
            : VERBS,
        ...(facts.shortNames.length > 0 ? { shortNames: facts.shortNames } : {}),
        ...(facts.categories.length > 0 ? { categories: facts.categories } : {}),
      });
    });

    createContract(subject);
    updateContract(subject);
    applyContract(subject);
    deleteContract(subject);

    it('has told its watchers', async () => {
      await subject.patch('min', { metadata: { labels: { last: 'yes' } } });
      const mine = (): { type: string; object: Json }[] =>
        watch
          .events()
          .filter(({ object }) => metadataOf({ json: object })['name'] === subject.nameOf('min'));
      await eventually(() => {
        const last = mine().at(-1)?.object ?? {};
        expect(metadataOf({ json: last })['labels']).toMatchObject({ last: 'yes' });
      });
      const types = mine().map(({ type }) => type);
      expect([types[0], new Set(types.slice(1))]).toEqual(['ADDED', new Set(['MODIFIED'])]);
      const versions = mine().map(({ object }) =>
        Number(metadataOf({ json: object })['resourceVersion']),
      );
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
    });
  },
);
