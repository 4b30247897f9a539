import { describe, expect, it } from '@jest/globals';
import type { KubeClient, WatchEvent } from '@orrery/client';
import type { KubeObject } from '@orrery/apimachinery';
import type { Pod } from '@orrery/api';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { podOf } from '../../test/builders.js';
import { ObjectWatches } from './object-watches.js';
import { podReferences } from './pod-references.js';

const clock = new SystemClock();

async function eventually(check: () => boolean): Promise<void> {
  const deadline = clock.monotonic() + 3_000;
  while (!check()) {
    if (clock.monotonic() > deadline) throw new Error('it did not happen within 3 s');
    await clock.sleep(2);
  }
}

/** An API of ConfigMaps in which a test can change one. */
class FakeApi {
  readonly open = new Set<string>();
  private readonly feeds = new Map<string, (event: WatchEvent<KubeObject>) => void>();
  private version = 1;

  readonly client = {
    resource: () => ({
      get: () => Promise.reject(new Error('must not be asked directly')),
      watch: (query: { fieldSelector?: string }, signal: AbortSignal) =>
        this.watch(query.fieldSelector ?? '', signal),
    }),
  } as unknown as KubeClient;

  put(name: string, value: string): void {
    const resourceVersion = String(++this.version);
    const object = {
      metadata: { name, namespace: 'default', resourceVersion, uid: name },
      data: { value },
    };
    this.feeds.get(`metadata.name=${name}`)?.({ type: 'MODIFIED', object });
  }

  private async *watch(
    selector: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<KubeObject>> {
    this.open.add(selector);
    const queue: WatchEvent<KubeObject>[] = [
      { type: 'BOOKMARK', resourceVersion: '1', initialEventsEnd: true },
    ];
    let wake: () => void = () => undefined;
    this.feeds.set(selector, (event) => {
      queue.push(event);
      wake();
    });
    signal.addEventListener('abort', () => {
      wake();
    });
    while (!signal.aborted) {
      const next = queue.shift();
      if (next) yield next;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    this.open.delete(selector);
  }
}

const mounting = (name: string, configMap: string): Pod =>
  podOf(name, { volumes: [{ name: 'v', configMap: { name: configMap } }] });

describe(ObjectWatches.name, () => {
  it('watches an object once for all pods, tells them of changes, and stops with the last', async () => {
    const api = new FakeApi();
    const changes: string[][] = [];
    const watches = new ObjectWatches({
      client: api.client,
      clock,
      random: new SystemRandom(),
      logger: silentLogger,
      changed: (uids) => changes.push([...uids]),
    });
    watches.retain(mounting('a', 'cm'));
    watches.retain(mounting('b', 'cm'));
    await eventually(() => api.open.size === 1);
    expect(await watches.configMap('default', 'cm')).toBeUndefined();
    api.put('cm', 'one');
    await eventually(() => changes.length === 1);
    expect(changes).toEqual([['uid-a', 'uid-b']]);
    expect((await watches.configMap('default', 'cm'))?.data).toEqual({ value: 'one' });
    watches.release('uid-a');
    expect(watches.size).toBe(1);
    watches.retain(mounting('b', 'other'));
    await eventually(() => api.open.has('metadata.name=other') && api.open.size === 1);
    watches.stop();
    await eventually(() => api.open.size === 0);
  });
});

describe('podReferences()', () => {
  it('finds what volumes and variables of all kinds of containers name', () => {
    const pod = podOf(
      'p',
      {
        initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'init' } }] }],
        ephemeralContainers: [
          {
            name: 'e',
            env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'debug', key: 'k' } } }],
          },
        ],
        volumes: [
          { name: 'a', secret: { secretName: 'sec' } },
          { name: 'b', persistentVolumeClaim: { claimName: 'claim' } },
          { name: 'c', ephemeral: {} },
          {
            name: 'd',
            projected: { sources: [{ configMap: { name: 'proj' } }, { secret: { name: 'sec' } }] },
          },
        ],
      },
      { env: [{ name: 'Y', valueFrom: { configMapKeyRef: { name: 'init', key: 'k' } } }] },
    );
    expect(
      podReferences(pod)
        .map(({ kind, name }) => `${kind}/${name}`)
        .sort(),
    ).toEqual([
      'configmaps/init',
      'configmaps/proj',
      'persistentvolumeclaims/claim',
      'persistentvolumeclaims/p-c',
      'secrets/debug',
      'secrets/sec',
    ]);
  });
});
