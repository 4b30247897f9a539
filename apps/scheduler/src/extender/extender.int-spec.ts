import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@orrery/component';
import { node, pod } from '../../test/builders.js';
import type { PodBuilder } from '../../test/builders.js';
import { PluginBench, contextOf, listersOf } from '../../test/plugin-context.js';
import { toExtenderOptions } from '../config/extender-config.js';
import type { ExtenderConfig } from '../config/extender-config.js';
import { NodeChooser } from '../cycle/choose-node.js';
import type { Choice } from '../cycle/choose-node.js';
import { CycleState } from '../framework/cycle-state.js';
import { describeFailure } from '../framework/fit-error.js';
import { unmeasured } from '../framework/plugin-meters.js';
import { unschedulable } from '../framework/status.js';
import { defaultPreemption } from '../plugins/default-preemption/default-preemption.plugin.js';
import { nodeResourcesFit } from '../plugins/node-resources-fit/node-resources-fit.plugin.js';
import { Extender } from './extender.js';
import { Extenders } from './extenders.js';

type Answer = (body: Record<string, unknown>) => unknown;

/** A small extender: answers by verb; a verb without an answer is a 500. */
class FakeExtender {
  readonly asked: { verb: string; body: Record<string, unknown> }[] = [];
  readonly answers: Record<string, Answer> = {};
  readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const verb = request.url?.split('/').at(-1) ?? '';
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      this.asked.push({ verb, body });
      const answer = this.answers[verb];
      response.writeHead(answer ? 200 : 500);
      response.end(answer ? JSON.stringify(answer(body)) : '');
    });
  });

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/ext`;
  }
}

describe(Extenders.name, () => {
  let fake: FakeExtender;
  beforeEach(async () => {
    fake = new FakeExtender();
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    fake.server.closeAllConnections();
    fake.server.close();
  });

  const extendersOf = (config: Partial<ExtenderConfig>): Extenders => {
    const whole = { urlPrefix: fake.url, weight: 1, ...config } as ExtenderConfig;
    return new Extenders([new Extender(toExtenderOptions(whole))], silentLogger);
  };

  const nodes = [node('n1'), node('n2'), node('n3')];

  async function choose(config: Partial<ExtenderConfig>, asked: PodBuilder): Promise<Choice> {
    const bench = new PluginBench([nodeResourcesFit], { nodes });
    const chooser = new NodeChooser({
      nodes: bench.cache,
      random: { next: () => 0, uuid: () => '' },
      percentageOf: () => 0,
      nominatedNode: () => undefined,
      extenders: extendersOf(config),
      meters: unmeasured,
    });
    return chooser.choose(bench.framework, new CycleState(), asked.info());
  }

  it('goes where the extender scores most among those that it lets through', async () => {
    fake.answers['filter'] = () => ({ NodeNames: ['n2', 'n3'], FailedNodes: { n1: 'no gpu' } });
    fake.answers['prioritize'] = () => [{ Host: 'n3', Score: 10 }];
    const config = { filterVerb: 'filter', prioritizeVerb: 'prioritize', nodeCacheCapable: true };
    expect(await choose(config, pod('a'))).toMatchObject({ kind: 'node', nodeName: 'n3' });
    expect(fake.asked[0]?.body).toMatchObject({
      Pod: { metadata: { name: 'a' } },
      NodeNames: ['n1', 'n2', 'n3'],
    });
  });

  it('sends whole nodes to one without a cache of its own', async () => {
    fake.answers['filter'] = ({ Nodes }) => ({
      nodes: { items: (Nodes as { items: unknown[] }).items.slice(1, 2) },
    });
    expect(await choose({ filterVerb: 'filter' }, pod('a'))).toMatchObject({ nodeName: 'n2' });
  });

  it("refuses in the extender's words", async () => {
    fake.answers['filter'] = () => ({
      NodeNames: [],
      FailedNodes: { n1: 'no gpu', n2: 'no gpu' },
      FailedAndUnresolvableNodes: { n3: 'never' },
    });
    const choice = await choose({ filterVerb: 'filter', nodeCacheCapable: true }, pod('a'));
    expect(choice.kind === 'refused' && describeFailure(choice.diagnosis)).toBe(
      '0/3 nodes are available: 1 never, 2 no gpu.',
    );
  });

  it('fails the try when it does not answer, unless it is ignorable', async () => {
    await expect(choose({ filterVerb: 'filter' }, pod('a'))).rejects.toThrow(
      `failed filter with extender at URL ${fake.url}, code 500`,
    );
    expect(await choose({ filterVerb: 'filter', ignorable: true }, pod('a'))).toMatchObject({
      kind: 'node',
    });
  });

  it('is not asked about pods without a resource that it manages', async () => {
    const config = { filterVerb: 'filter', managedResources: [{ name: 'example.com/gpu' }] };
    expect(await choose(config, pod('a'))).toMatchObject({ kind: 'node' });
    expect(fake.asked).toEqual([]);
  });

  it('binds', async () => {
    const binder = extendersOf({ bindVerb: 'bind' }).binder(pod('a').info());
    const bind = () => binder?.bind(pod('a').info(), 'n1', new AbortController().signal);
    fake.answers['bind'] = () => ({});
    expect(await bind()).toMatchObject({ code: 'Success' });
    expect(fake.asked[0]?.body).toEqual({
      PodName: 'a',
      PodNamespace: 'default',
      PodUID: 'uid-a',
      Node: 'n1',
    });
    fake.answers['bind'] = () => ({ Error: 'taken' });
    expect(await bind()).toMatchObject({ code: 'Error', reasons: ['taken'] });
  });

  it('takes nodes out of a preemption', async () => {
    fake.answers['preempt'] = ({ NodeNameToMetaVictims }) => ({
      NodeNameToMetaVictims: { n2: (NodeNameToMetaVictims as Record<string, unknown>)['n2'] },
    });
    const low = [1, 2].map((i) => pod(`low-${i}`).requests({ cpu: '4' }).on(`n${i}`));
    const bench = new PluginBench([nodeResourcesFit], { nodes: nodes.slice(0, 2), pods: low });
    const plugin = defaultPreemption.create(
      contextOf({
        nodes: bench.cache,
        listers: listersOf(),
        filters: () => bench.framework,
        extenders: extendersOf({ preemptVerb: 'preempt', nodeCacheCapable: true }),
      }),
      undefined,
    );
    const high = pod('high').requests({ cpu: '4' }).priority(9).info();
    const refused = unschedulable('Insufficient cpu');
    const state = new CycleState();
    bench.framework.preFilter(state, high);
    const result = await plugin.postFilter?.(state, high, {
      allNodes: 2,
      statuses: new Map([
        ['n1', refused],
        ['n2', refused],
      ]),
      plugins: new Set(),
    });
    expect(result).toMatchObject({ status: { code: 'Success' }, nominatedNode: 'n2' });
  });
});
