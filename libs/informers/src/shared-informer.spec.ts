import { describe, expect, it } from '@jest/globals';
import type { ConfigMap } from '@orrery/api';
import { StatusError, newExpired, newNotFound } from '@orrery/apimachinery';
import type { KubeList, ListQuery, ResourceClient, WatchEvent, WatchQuery } from '@orrery/client';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { SharedInformer } from './shared-informer.js';

const map = (name: string, resourceVersion: string): ConfigMap => ({
  metadata: { name, namespace: 'a', uid: name, resourceVersion },
});

type Script = (query: WatchQuery) => readonly WatchEvent<ConfigMap>[] | Error;

/** Answers each watch from a script; when that is used up, watches stay silent until aborted. */
function fakeClient(scripts: Script[], list: KubeList<ConfigMap>, seen: WatchQuery[] = []) {
  const client: Pick<ResourceClient<ConfigMap>, 'list' | 'watch'> = {
    list: async (_query?: ListQuery) => list,
    async *watch(query: WatchQuery, signal: AbortSignal) {
      seen.push(query);
      const script = scripts.shift();
      if (!script) {
        await new SystemClock().sleep(60_000, signal);
        return;
      }
      const result = script(query);
      if (result instanceof Error) throw result;
      yield* result;
    },
  };
  return client as ResourceClient<ConfigMap>;
}

const end = (resourceVersion: string): WatchEvent<ConfigMap> => ({
  type: 'BOOKMARK',
  resourceVersion,
  initialEventsEnd: true,
});

function run(client: ResourceClient<ConfigMap>) {
  const log: string[] = [];
  const stop = new AbortController();
  const informer = new SharedInformer<ConfigMap>({
    client,
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: silentLogger,
  });
  informer.addHandler({
    onAdd: (o, initial) => log.push(`${initial ? 'initial' : 'add'} ${o.metadata.name}`),
    onUpdate: (o) => log.push(`update ${o.metadata.name}@${o.metadata.resourceVersion}`),
    onDelete: (o) => log.push(`delete ${o.metadata.name}`),
  });
  const done = informer.start(stop.signal);
  return {
    informer,
    log,
    stop: async () => {
      stop.abort(new Error('stop'));
      await done;
    },
    seen: (rv: string) => informer.waitUntilSeen(rv, stop.signal),
  };
}

describe('SharedInformer', () => {
  it('fills from WatchList and goes on with the same stream', async () => {
    const queries: WatchQuery[] = [];
    const client = fakeClient(
      [
        () => [
          { type: 'ADDED', object: map('x', '3') },
          end('5'),
          { type: 'MODIFIED', object: map('x', '6') },
          { type: 'DELETED', object: map('x', '7') },
        ],
      ],
      { metadata: {}, items: [] },
      queries,
    );
    const t = run(client);
    await t.seen('7');
    expect(t.log).toEqual(['initial x', 'update x@6', 'delete x']);
    expect(queries[0]).toMatchObject({ resourceVersion: '', sendInitialEvents: true });
    await t.stop();
  });

  it('resumes at the last revision after the server ends the watch', async () => {
    const queries: WatchQuery[] = [];
    const client = fakeClient(
      [
        () => [end('5'), { type: 'ADDED', object: map('y', '8') }],
        () => [{ type: 'ADDED', object: map('z', '9') }],
      ],
      { metadata: {}, items: [] },
      queries,
    );
    const t = run(client);
    await t.seen('9');
    expect(queries.map((q) => q.resourceVersion).slice(0, 2)).toEqual(['', '8']);
    await t.stop();
  });

  it('lists anew after 410 and reports what vanished meanwhile', async () => {
    const client = fakeClient(
      [
        () => [{ type: 'ADDED', object: map('x', '3') }, end('5')],
        () => newExpired('too old'),
        () => [{ type: 'ADDED', object: map('z', '15') }, end('20')],
      ],
      { metadata: {}, items: [] },
    );
    const t = run(client);
    await t.seen('20');
    expect(t.log).toEqual(['initial x', 'delete x', 'add z']);
    await t.stop();
  });

  it('lists without resourceVersion where WatchList is refused', async () => {
    const client = fakeClient([() => new StatusError(422, 'Invalid', 'no such option')], {
      metadata: { resourceVersion: '4' },
      items: [map('q', '2')],
    });
    const t = run(client);
    await t.seen('4');
    expect(t.log).toEqual(['initial q']);
    await t.stop();
  });

  it('knows whether it has seen a revision, at any number of digits', async () => {
    const t = run(fakeClient([() => [end('99')]], { metadata: {}, items: [] }));
    await t.seen('9');
    expect([t.informer.hasSeen('99'), t.informer.hasSeen('100')]).toEqual([true, false]);
    await t.stop();
  });

  it.each([
    { when: 'never was there', scripts: [] },
    { when: 'has gone', scripts: [() => [end('5')]] },
  ])('waits for nothing where the resource $when', async ({ scripts }) => {
    const gone = (): Error => newNotFound({ group: '', resource: 'configmaps' }, '');
    const client = fakeClient([...scripts, ...Array.from({ length: 50 }, () => gone)], {
      metadata: { resourceVersion: '1' },
      items: [],
    });
    const { informer, stop } = run(client);
    if (scripts.length > 0) await informer.waitForSync(AbortSignal.timeout(30_000));
    await informer.catchUp('1000', AbortSignal.timeout(30_000));
    expect(informer.size).toBe(0);
    await stop();
  });
});
