import { describe, expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { ref } from '@orrery/api';
import type { KubeClient, ResourceClient } from '@orrery/client';
import { SteppedClock, SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { eventually } from '@orrery/testkit';
import { OwnerGraph } from './owner-graph.js';

const WIDGETS = ref('example.com', 'v1', 'widgets', 'Widget', true);

/** A server that answers each watch of widgets with that error. */
function graphOver(error: StatusError) {
  const clock = new SteppedClock();
  const resource = {
    // eslint-disable-next-line require-yield
    async *watch(): AsyncGenerator<never> {
      await new SystemClock().sleep(1);
      throw error;
    },
  } as unknown as ResourceClient<KubeObject>;
  const informers = new InformerFactory({
    client: { resource: () => resource } as unknown as KubeClient,
    clock,
    random: new SystemRandom(),
    logger: silentLogger,
  });
  const graph = new OwnerGraph(informers, clock);
  const stop = new AbortController();
  const running = informers.start(stop.signal);
  graph.watch([WIDGETS]);
  return {
    graph,
    clock,
    stop: async () => {
      stop.abort(new Error('stop'));
      await running;
    },
  };
}

describe('OwnerGraph', () => {
  it('does not wait for a resource whose definition has gone before it was read', async () => {
    const { graph, stop } = graphOver(new StatusError(404, 'NotFound', 'no such resource'));
    expect(graph.hasSynced).toBe(false);
    await eventually(() => graph.hasSynced);
    await stop();
  });

  it('waits no longer than half a minute for one that answers with errors', async () => {
    const { graph, clock, stop } = graphOver(new StatusError(503, 'ServiceUnavailable', 'down'));
    await clock.step(20_000, 1);
    expect(graph.hasSynced).toBe(false);
    await clock.step(20_000, 1);
    expect(graph.hasSynced).toBe(true);
    await stop();
  });
});
