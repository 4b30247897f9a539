import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { CustomResourceDefinition } from '@orrery/api';
import { eventually } from '@orrery/testkit';
import type { CustomKind } from './custom-kind.js';
import type { ResourceCatalog } from '../rest/resource-catalog.js';
import { serveDefinitions } from './served-definitions.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const definition = (resourceVersion: string): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'foos.example.com', uid: 'served-definitions', resourceVersion },
  spec: {
    group: 'example.com',
    scope: 'Cluster',
    names: { plural: 'foos', kind: 'Foo', singular: 'foo', listKind: 'FooList' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
});

/** A catalog that knows what it was given last. */
class Catalog implements Pick<ResourceCatalog, 'setCustom'> {
  editions: Parameters<ResourceCatalog['setCustom']>[0] = [];
  groups: Parameters<ResourceCatalog['setCustom']>[1] = [];

  get kinds(): readonly CustomKind[] {
    return this.editions.flatMap(({ kinds }) => kinds);
  }

  setCustom(...[editions, groups]: Parameters<ResourceCatalog['setCustom']>): void {
    [this.editions, this.groups] = [editions, groups];
  }
}

const serve = (catalog: Catalog, resourceVersion: string): void => {
  serveDefinitions(catalog, [definition(resourceVersion)]);
};

describe('serveDefinitions()', () => {
  it('shares what it made of a definition among the catalogs that serve it', async () => {
    const [live, past] = [new Catalog(), new Catalog()];
    serve(live, '1');
    await nextTurn();
    collectGarbage();
    serve(past, '1');
    expect(past.kinds).toHaveLength(1);
    expect(past.kinds[0]).toBe(live.kinds[0]);
    expect(past.groups).toEqual([{ group: 'example.com', versions: ['v1'] }]);
  });

  it('keeps nothing of a definition as it was before', async () => {
    const catalog = new Catalog();
    const old = ((): WeakRef<object>[] => {
      serve(catalog, '2');
      return catalog.kinds.map((kind) => new WeakRef(kind));
    })();
    expect(old).toHaveLength(1);
    serve(catalog, '3');
    await eventually(async () => {
      await nextTurn();
      collectGarbage();
      expect(old.map((ref) => ref.deref() === undefined)).toEqual([true]);
    });
  });
});
