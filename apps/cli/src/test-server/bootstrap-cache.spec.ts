import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BootstrapCache, shapeOf } from './bootstrap-cache.js';
import type { OwnValues } from './bootstrap-cache.js';

const valuesOf = (block: number, now: string): OwnValues => ({
  now: Date.parse(now),
  block,
  authorities: { client: `client\nof "${block}"\n`, requestHeader: `header\nof ${block}\n` },
});
const FIRST = valuesOf(17, '2026-01-02T03:04:05Z');
const SECOND = valuesOf(231, '2026-03-04T05:06:07Z');

/** What a cluster with these values has in its keyspace. */
function objectsOf({ now, block, authorities }: OwnValues): Record<string, unknown> {
  const metadata = {
    creationTimestamp: new Date(now).toISOString().replace('.000Z', 'Z'),
  };
  return {
    'clusterroles/admin': { metadata },
    'configmaps/kube-system/extension-apiserver-authentication': {
      data: {
        'client-ca-file': authorities.client,
        'requestheader-client-ca-file': authorities.requestHeader,
      },
    },
    'configmaps/kube-system/kube-apiserver-legacy-service-account-token-tracking': {
      data: { since: new Date(now).toISOString().slice(0, 10) },
    },
    [`ipaddresses/127.${block}.128.1`]: { metadata: { ...metadata, name: `127.${block}.128.1` } },
    'services/specs/default/kubernetes': { spec: { clusterIP: `127.${block}.128.1` } },
  };
}

const stored = (objects: Record<string, unknown>): { key: string; value: string }[] =>
  Object.entries(objects).map(([key, object]) => ({ key, value: JSON.stringify(object) }));

describe(BootstrapCache.name, () => {
  const before = process.env['XDG_CACHE_HOME'];
  let folder: string;
  let bundle: string;
  const cache = (shape = 'api'): BootstrapCache => new BootstrapCache(bundle, shape);
  const read = (from: BootstrapCache, own: OwnValues): Record<string, unknown> | undefined => {
    const found = from.read(own);
    return found && Object.fromEntries(found.map(({ key, value }) => [key, JSON.parse(value)]));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bootstrap-cache-'));
    process.env['XDG_CACHE_HOME'] = folder;
    bundle = join(folder, 'orrery.js');
    writeFileSync(bundle, 'a build');
  });
  afterEach(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
    rmSync(folder, { recursive: true });
  });

  it('knows nothing before a cluster has started', () => {
    expect(cache().read(FIRST)).toBeUndefined();
  });

  it('gives another process the objects with the addresses, certificates and times of its cluster', () => {
    cache().write(stored(objectsOf(FIRST)), FIRST);
    expect(read(cache(), SECOND)).toEqual(objectsOf(SECOND));
  });

  it('gives each cluster of one process its own addresses', () => {
    const one = cache();
    one.write(stored(objectsOf(FIRST)), FIRST);
    expect(read(one, SECOND)).toEqual(objectsOf(SECOND));
    const third = valuesOf(18, '2026-03-04T05:06:07Z');
    expect(read(one, third)).toEqual(objectsOf(third));
  });

  it('leaves out what is of one cluster alone', () => {
    const others = {
      'masterleases/127.17.0.1': {},
      'pods/default/web': {},
      'services/specs/default/web': {},
      'configmaps/kube-system/mine': {},
    };
    cache().write(stored({ ...objectsOf(FIRST), ...others }), FIRST);
    expect(read(cache(), FIRST)).toEqual(objectsOf(FIRST));
  });

  it('takes a damaged file for none', () => {
    cache().write(stored(objectsOf(FIRST)), FIRST);
    const dir = join(folder, 'orrery', 'test-clusters');
    for (const name of readdirSync(dir)) writeFileSync(join(dir, name), '{"same":"[{"');
    expect(cache().read(FIRST)).toBeUndefined();
  });

  it('forgets what another build wrote of the same shape', () => {
    cache('api').write(stored(objectsOf(FIRST)), FIRST);
    cache('api+services').write(stored(objectsOf(FIRST)), FIRST);
    writeFileSync(bundle, 'another build');
    cache('api').write(stored(objectsOf(FIRST)), FIRST);
    expect(readdirSync(join(folder, 'orrery', 'test-clusters'))).toHaveLength(2);
    expect(cache('api').read(FIRST)).toBeDefined();
    expect(cache('api+services').read(FIRST)).toBeUndefined();
  });
});

describe('shapeOf()', () => {
  it.each([
    [{ controllers: false, nodes: 0, services: false }, 'api'],
    [{ controllers: true, nodes: 2, services: false }, 'controllers'],
    // The roles of add-ons are for those who have them.
    [{ controllers: true, nodes: 1, services: true }, 'controllers+services'],
    [{ controllers: true, nodes: 0, services: true }, 'controllers'],
  ])('calls %j %s', (options, shape) => {
    expect(shapeOf(options)).toBe(shape);
  });
});
