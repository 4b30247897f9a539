import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { SystemClock, silentLogger } from '@orrery/component';
import type { Entry, Storage, WatchItem } from '@orrery/storage';
import { nodeNamesIn } from './cluster-views.js';
import { LiveView } from './live-view.js';

const entry = (name: string, revision: number, zone = ''): Entry =>
  ({
    key: `/registry/things/${name}`,
    revision,
    object: { metadata: { name, labels: { zone } } },
  }) as unknown as Entry;

const event = (type: 'ADDED' | 'MODIFIED' | 'DELETED', one: Entry): WatchItem => ({
  kind: 'event',
  event: { type, entry: one, revision: one.revision },
});

/** Gives its lists in turn; each watch yields one batch and then fails, the last one waits for the abort. */
function scripted(lists: Entry[][], batches: WatchItem[][]): Storage {
  let round = 0;
  return {
    list: () => Promise.resolve({ entries: lists[round] ?? [], revision: round, remaining: 0 }),
    watch: async function* (_prefix: string, { signal }: { signal: AbortSignal }) {
      const items = batches[round++] ?? [];
      if (items.length > 0) yield items;
      if (round < lists.length) throw new Error('compacted');
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          resolve();
        });
      });
    },
    get: () => Promise.resolve(entry('late', 9)),
  } as unknown as Storage;
}

describe('LiveView', () => {
  it('follows a watch, lists again when it breaks, and drops what has gone', async () => {
    const clock = new (class extends SystemClock {
      override sleep(): Promise<void> {
        return Promise.resolve();
      }
    })();
    const storage = scripted(
      [[entry('a', 1, 'x')], [entry('b', 5, 'x')]],
      [[event('ADDED', entry('c', 2, 'y')), event('DELETED', entry('a', 3, 'x'))], []],
    );
    const view = new LiveView<KubeObject>(
      { storage, clock, logger: silentLogger },
      { prefix: '/registry/things/', index: (one) => one.metadata.labels?.['zone'] },
    );
    const stop = new AbortController();
    const running = view.start(stop.signal);
    await view.ready;
    while (!view.get('b')) await Promise.resolve();
    expect([...view.values()].map((one) => one.metadata.name)).toEqual(['b']);
    expect([...view.indexed('x')]).toHaveLength(1);
    expect([...view.indexed('y')]).toHaveLength(0);
    expect((await view.find('late'))?.metadata.name).toBe('late');
    stop.abort();
    await running;
  });

  it('tells from bytes which objects an index may name, and asks these alone', async () => {
    const parsed: string[] = [];
    const pod = (name: string, bytes: string): Entry =>
      ({
        key: `/registry/pods/${name}`,
        revision: 1,
        bytes: Buffer.from(bytes),
        get object() {
          parsed.push(name);
          return JSON.parse(bytes) as KubeObject;
        },
      }) as unknown as Entry;
    const entries = [
      pod('bound', '{"metadata":{"name":"bound"},"spec":{"nodeName":"n1"}}'),
      pod('labelled', '{"metadata":{"labels":{"nodeName":"n1"}},"spec":{"nodeName":"n2"}}'),
      pod('quoting', '{"metadata":{"annotations":{"a":"{\\"nodeName\\":\\"n1\\"}"}}}'),
      pod('pending', '{"metadata":{"name":"pending"},"spec":{}}'),
    ];
    const view = new LiveView<KubeObject>(
      { storage: scripted([entries], []), clock: new SystemClock(), logger: silentLogger },
      {
        prefix: '/registry/pods/',
        index: (one) => (one as { spec?: { nodeName?: string } }).spec?.nodeName,
        indexBytes: nodeNamesIn,
      },
    );
    const stop = new AbortController();
    const running = view.start(stop.signal);
    await view.ready;
    expect([...view.indexed('n1')].map((one) => one.metadata.name)).toEqual(['bound']);
    expect(parsed).toEqual(['bound', 'labelled']);
    expect([...view.indexed('n2')]).toHaveLength(1);
    expect([...view.indexed('')]).toEqual([]);
    stop.abort();
    await running;
  });
});
