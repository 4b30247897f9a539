import { describe, expect, it } from '@jest/globals';
import { SteppedClock, silentLogger } from '@orrery/component';
import { ClusterCache } from './cluster-cache.js';
import { clusterPath } from './cluster-path.js';
import type { LogicalCluster, LogicalClusterSource } from './logical-cluster.js';

const source = (prefix: 'at' | 'forks'): LogicalClusterSource => ({
  prefix,
  resolve: (name) => name,
  open: () => Promise.reject(new Error('not opened here')),
});
const sources = [source('at'), source('forks')];

interface PathCase {
  readonly path: string;
  readonly want: { readonly name: string; readonly basePath: string; readonly inside: string };
}

describe('clusterPath()', () => {
  it.each<PathCase>([
    {
      path: '/at/41/api/v1/pods',
      want: { name: '41', basePath: '/at/41', inside: '/api/v1/pods' },
    },
    {
      path: '/at/2026-01-02T03:04:05%2B01:00/version',
      want: {
        name: '2026-01-02T03:04:05+01:00',
        basePath: '/at/2026-01-02T03:04:05%2B01:00',
        inside: '/version',
      },
    },
    { path: '/forks/x/', want: { name: 'x', basePath: '/forks/x', inside: '' } },
    { path: '/forks/x', want: { name: 'x', basePath: '/forks/x', inside: '' } },
    { path: '/at/', want: { name: '', basePath: '/at', inside: '' } },
    { path: '/at', want: { name: '', basePath: '/at', inside: '' } },
    {
      path: '//at//41//api',
      want: { name: '41', basePath: '//at//41', inside: '//api' },
    },
    {
      path: '/at/41/at/40/api',
      want: { name: '41', basePath: '/at/41', inside: '/at/40/api' },
    },
  ])('splits $path', ({ path, want }) => {
    expect(clusterPath(sources, path)).toMatchObject(want);
  });

  it.each(['/api/v1/pods', '/attic/41/api', '/', '', '/apis/at/v1'])('leaves %s alone', (path) => {
    expect(clusterPath(sources, path)).toBeUndefined();
  });
});

/** A source that keeps count of what is open. */
class Counting implements LogicalClusterSource {
  readonly prefix = 'forks';
  readonly limit = 2;
  readonly idleMs = 1000;
  readonly opened: string[] = [];
  readonly closed: string[] = [];
  readonly gone = new AbortController();

  resolve(name: string): string {
    return name;
  }

  open(key: string): Promise<LogicalCluster> {
    this.opened.push(key);
    if (key === 'broken') return Promise.reject(new Error('cannot be opened'));
    return Promise.resolve({
      gone: this.gone.signal,
      close: () => {
        this.closed.push(key);
      },
    } as unknown as LogicalCluster);
  }
}

function newCache(): { cache: ClusterCache; counting: Counting; clock: SteppedClock } {
  const clock = new SteppedClock();
  const counting = new Counting();
  return { cache: new ClusterCache(counting, { clock, logger: silentLogger }), counting, clock };
}

const nothing = (): Promise<void> => Promise.resolve();
const later = (): { done: () => void; work: () => Promise<void> } => {
  let done = (): void => undefined;
  const waiting = new Promise<void>((resolve) => {
    done = resolve;
  });
  return { done, work: () => waiting };
};

describe(ClusterCache.name, () => {
  it('opens once for all who use it, and closes when idle', async () => {
    const { cache, counting, clock } = newCache();
    await Promise.all([cache.use('a', nothing), cache.use('a', nothing)]);
    await cache.use('a', nothing);
    expect(counting.opened).toEqual(['a']);
    await clock.step(2500, 0);
    expect(counting.closed).toEqual(['a']);
    expect(cache.size).toBe(0);
  });

  it('gives the place of the one unused for longest, and never that of one in use', async () => {
    const { cache, counting, clock } = newCache();
    const [a, b] = [later(), later()];
    const using = cache.use('a', a.work);
    await cache.use('b', nothing);
    await clock.step(10, 0);
    const more = cache.use('c', b.work);
    await clock.step(10, 0);
    expect(counting.closed).toEqual(['b']);
    await expect(cache.use('d', nothing)).rejects.toMatchObject({ code: 429 });
    a.done();
    b.done();
    await Promise.all([using, more]);
    await cache.use('d', nothing);
    expect(counting.opened).toEqual(['a', 'b', 'c', 'd']);
    await cache.close();
    expect(counting.closed.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps none that could not be opened, nor one that is gone', async () => {
    const { cache, counting } = newCache();
    await expect(cache.use('broken', nothing)).rejects.toThrow('cannot be opened');
    await expect(cache.use('broken', nothing)).rejects.toThrow('cannot be opened');
    await cache.use('a', nothing);
    counting.gone.abort();
    expect(cache.size).toBe(0);
    await cache.close();
  });
});
