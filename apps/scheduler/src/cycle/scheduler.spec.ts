import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { SystemClock, createMetrics, silentLogger } from '@orrery/component';
import { toReference } from '@orrery/controller';
import type { ActionRecorder } from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';
import { eventually } from '@orrery/testkit';
import { node, pod } from '../../test/builders.js';
import { DRIVER, claim, deviceClass, nodeSlice } from '../../test/devices.js';
import { FakeCluster } from '../../test/fake-cluster.js';
import { assemble } from '../assemble.js';
import { SchedulerFlags, toOptions } from '../config/options.js';
import { Scheduler } from './scheduler.js';

/** The whole scheduler, with real informers, over a cluster in memory. */
class Running {
  readonly cluster = new FakeCluster();
  readonly events: string[] = [];
  readonly metrics = createMetrics();
  readonly #stop = new AbortController();
  #ended: Promise<unknown> = Promise.resolve();

  start(): void {
    const clock = new SystemClock();
    const random = { next: () => 0, uuid: () => 'uuid' };
    const { cluster: client } = this;
    const logger = silentLogger;
    const informers = new InformerFactory({ client, clock, random, logger });
    const recorder: ActionRecorder = {
      report: ({ regarding, type, reason, action, note }) => {
        const { name = '' } = toReference(regarding);
        this.events.push(`${action}: ${type} ${reason} ${name}: ${note}`);
      },
    };
    const { scheduler, queue, everySecond } = assemble(
      toOptions(Object.assign(new SchedulerFlags(), { kubeconfig: 'none' })),
      {
        client,
        informers,
        actions: () => recorder,
        metrics: this.metrics,
        clock,
        random,
        logger,
      },
    );
    const { signal } = this.#stop;
    const work = async (): Promise<void> => {
      await informers.waitForSync(signal);
      everySecond();
      for (let next = await queue.pop(signal); next; next = await queue.pop(signal))
        void scheduler.schedule(next, signal);
    };
    this.#ended = Promise.all([informers.start(signal), work()]);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the spec is over'));
    await this.#ended;
  }

  condition(name: string): string | undefined {
    const conditions = this.cluster.pod(name)?.status?.conditions ?? [];
    const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
    return scheduled && `${scheduled.status} ${scheduled.reason}: ${scheduled.message}`;
  }
}

describe(Scheduler.name, () => {
  let running: Running;

  beforeEach(() => {
    running = new Running();
  });

  afterEach(() => running.stop());

  it('counts its plugins, and times each point of a cycle', async () => {
    const { cluster, metrics } = running;
    for (const name of ['n1', 'n2']) cluster.put('nodes', node(name).build());
    cluster.put('pods', pod('a').requests({ cpu: '1' }).build());
    running.start();
    await eventually(() => {
      expect(cluster.pod('a')?.spec.nodeName).toBeDefined();
    });
    const lines = (await metrics.text()).split('\n');
    const evaluated = lines.filter((line) => line.startsWith('scheduler_plugin_evaluation_total'));
    const of = (plugin: string, point: string, count: number): string =>
      `scheduler_plugin_evaluation_total{plugin="${plugin}",extension_point="${point}",profile="default-scheduler"} ${count}`;
    expect(evaluated).toEqual(
      expect.arrayContaining([
        of('NodeAffinity', 'PreFilter', 1),
        of('NodeResourcesFit', 'Filter', 2),
        of('NodeResourcesFit', 'Score', 2),
        of('InterPodAffinity', 'PreScore', 1),
      ]),
    );
    const labelsOf = (metric: string, label: string): Set<string> =>
      new Set(
        lines
          .filter((line) => line.startsWith(`${metric}_count`))
          .flatMap((line) => new RegExp(`${label}="([^"]*)"`).exec(line)?.[1] ?? []),
      );
    const timed = labelsOf(
      'scheduler_framework_extension_point_duration_seconds',
      'extension_point',
    );
    const points = 'PreFilter Filter PreScore Score Reserve Permit PreBind Bind PostBind';
    expect([...timed].sort()).toEqual(points.split(' ').sort());
    const plugins = labelsOf('scheduler_plugin_execution_duration_seconds', 'plugin');
    expect([...plugins]).toEqual(expect.arrayContaining(['NodeName', 'DefaultBinder']));
  });

  it('spreads pods over the nodes that let them in and says so', async () => {
    const { cluster, events } = running;
    const taint = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' as const };
    cluster.put('nodes', node('n1').tainted(taint).build());
    for (const name of ['n2', 'n3']) cluster.put('nodes', node(name).build());
    for (const name of ['a', 'b']) cluster.put('pods', pod(name).requests({ cpu: '1' }).build());
    running.start();
    await eventually(() => {
      expect(Object.values(cluster.placements()).sort()).toEqual(['n2', 'n3']);
    });
    await eventually(() => {
      const { a } = cluster.placements();
      expect(events).toContain(
        `Binding: Normal Scheduled a: Successfully assigned default/a to ${a}`,
      );
    });
  });

  it('gives devices to claims and reserves them, and to the next pod when they are free again', async () => {
    const { cluster, events } = running;
    cluster.put('nodes', node('n1').build());
    cluster.put('deviceclasses', deviceClass('gpu'));
    cluster.put('resourceslices', nodeSlice('n1', ['d0']));
    for (const name of ['first', 'second']) {
      cluster.put('resourceclaims', claim(name));
      cluster.put('pods', pod(name).claiming(name).build());
    }
    running.start();
    await eventually(() => {
      expect(Object.values(cluster.placements()).sort()).toEqual(['', 'n1']);
    });
    const [winner, loser] = cluster.pod('first')?.spec.nodeName
      ? ['first', 'second']
      : ['second', 'first'];
    expect(cluster.claim(winner ?? '')).toMatchObject({
      metadata: { finalizers: ['resource.kubernetes.io/delete-protection'] },
      status: {
        allocation: {
          devices: { results: [{ request: 'r', driver: DRIVER, pool: 'n1', device: 'd0' }] },
        },
        reservedFor: [{ resource: 'pods', name: winner, uid: `uid-${winner}` }],
      },
    });
    const refusal =
      '0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
    await eventually(() => {
      expect(events).toContain(`Scheduling: Warning FailedScheduling ${loser}: ${refusal}`);
    });
    cluster.put('resourceclaims', claim(winner ?? ''));
    await eventually(() => {
      expect(cluster.placements()[loser ?? '']).toBe('n1');
    });
  });

  it('makes a claim for extended resources that are devices of a class', async () => {
    const { cluster } = running;
    const gpu = { 'example.com/gpu': '1' };
    cluster.put('nodes', node('n1').build());
    cluster.put('resourceslices', nodeSlice('n1', ['d0']));
    cluster.put('deviceclasses', deviceClass('gpu', { extendedResourceName: 'example.com/gpu' }));
    cluster.put('pods', pod('a').requests(gpu).build());
    running.start();
    await eventually(() => {
      expect(cluster.pod('a')?.spec.nodeName).toBe('n1');
    });
    const [claim] = cluster.claims();
    expect(cluster.claims()).toHaveLength(1);
    expect(claim?.metadata).toMatchObject({
      generateName: 'a-extended-resources-',
      annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' },
      ownerReferences: [{ kind: 'Pod', name: 'a', controller: true }],
      finalizers: ['resource.kubernetes.io/delete-protection'],
    });
    expect(claim?.spec.devices?.requests).toEqual([
      {
        name: 'container-0-request-0',
        exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
      },
    ]);
    expect(claim?.status).toMatchObject({
      allocation: { devices: { results: [{ driver: DRIVER, device: 'd0' }] } },
      reservedFor: [{ resource: 'pods', name: 'a' }],
    });
    expect(cluster.pod('a')?.status?.extendedResourceClaimStatus).toEqual({
      resourceClaimName: claim?.metadata.name,
      requestMappings: [
        {
          containerName: cluster.pod('a')?.spec.containers[0]?.name,
          resourceName: 'example.com/gpu',
          requestName: 'container-0-request-0',
        },
      ],
    });
    // Its device is taken; a node that has the resource itself needs no claim.
    cluster.put('pods', pod('b').requests(gpu).build());
    await eventually(() => {
      expect(running.condition('b')).toMatch(
        /^False Unschedulable: .* 1 cannot allocate all claims\./,
      );
    });
    cluster.put(
      'nodes',
      node('n2')
        .allocatable({ ...gpu, cpu: '4', pods: '10' })
        .build(),
    );
    await eventually(() => {
      expect(cluster.pod('b')?.spec.nodeName).toBe('n2');
    });
    expect(cluster.claims()).toHaveLength(1);
  });

  it('takes the claim for extended resources back when the pod cannot be bound', async () => {
    const { cluster, events } = running;
    cluster.bindingError = new Error('no such luck');
    cluster.put('nodes', node('n1').build());
    cluster.put('resourceslices', nodeSlice('n1', ['d0']));
    cluster.put('deviceclasses', deviceClass('gpu'));
    const name = 'deviceclass.resource.kubernetes.io/gpu';
    cluster.put(
      'pods',
      pod('a')
        .requests({ [name]: '1' })
        .build(),
    );
    running.start();
    await eventually(() => {
      expect(events.filter((each) => each.includes('no such luck'))).not.toEqual([]);
    });
    await eventually(() => {
      expect(cluster.claims()).toEqual([]);
    });
    cluster.bindingError = undefined;
    await eventually(
      () => {
        expect(cluster.pod('a')?.spec.nodeName).toBe('n1');
      },
      { timeoutMs: 8000 },
    );
    expect(cluster.claims()).toHaveLength(1);
  });

  it('takes a pod up when its claim appears', async () => {
    const { cluster } = running;
    cluster.put('nodes', node('n1').build());
    cluster.put('deviceclasses', deviceClass('gpu'));
    cluster.put('resourceslices', nodeSlice('n1', ['d0']));
    cluster.put('pods', pod('a').claiming('x').build());
    cluster.put('pods', pod('plain').build());
    running.start();
    await eventually(() => {
      expect(cluster.placements()).toEqual({ a: '', plain: 'n1' });
    });
    cluster.put('resourceclaims', claim('x'));
    await eventually(() => {
      expect(cluster.placements()['a']).toBe('n1');
    });
  });

  it('tells where a pod is expected while its volume is made, and takes it back when it is not', async () => {
    const { cluster } = running;
    const claim = {
      metadata: { name: 'data', namespace: 'default', uid: 'data' },
      spec: { storageClassName: 'late' },
    };
    cluster.put('nodes', node('n1').build());
    const late = {
      metadata: { name: 'late' },
      provisioner: 'x.io/p',
      volumeBindingMode: 'WaitForFirstConsumer',
    };
    cluster.put('storageclasses', late);
    cluster.put('persistentvolumeclaims', claim);
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
    cluster.put('pods', pod('waits').spec({ volumes }).build());
    const expected = (): string | undefined => cluster.pod('waits')?.status?.nominatedNodeName;
    running.start();
    await eventually(() => {
      expect(expected()).toBe('n1');
    });
    expect(cluster.placements()).toEqual({ waits: '' });
    const elsewhere = { 'volume.kubernetes.io/selected-node': 'n9' };
    const metadata = { ...claim.metadata, annotations: elsewhere };
    cluster.put('persistentvolumeclaims', { ...claim, metadata });
    await eventually(() => {
      expect(running.events.join()).toContain('provisioning failed for PVC "data"');
      expect(expected()).toBeUndefined();
    });
  });

  it('tells why a pod fits nowhere and tries again when a node joins', async () => {
    const { cluster, events } = running;
    const taint = { key: 'dedicated', effect: 'NoSchedule' as const };
    cluster.put('nodes', node('n1').tainted(taint).build());
    for (const name of ['n2', 'n3'])
      cluster.put('nodes', node(name).allocatable({ cpu: '1', memory: '1Gi' }).build());
    cluster.put('pods', pod('big').requests({ cpu: '2' }).build());
    running.start();
    const message =
      '0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. ' +
      'no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.';
    await eventually(() => {
      expect(running.condition('big')).toBe(`False Unschedulable: ${message}`);
    });
    expect(events).toContain(`Scheduling: Warning FailedScheduling big: ${message}`);
    cluster.put('nodes', node('n4').build());
    await eventually(() => {
      expect(cluster.placements()).toEqual({ big: 'n4' });
    });
  });

  it('tries again when a pod has been resized and its node has given back what it held', async () => {
    const { cluster } = running;
    cluster.put('nodes', node('n1').build());
    const resized = (cpu: string): Pod => {
      const built = pod('shrinks').requests({ cpu: '1' }).on('n1').build();
      const told = { name: 'c', image: 'i', imageID: 'i', ready: true, restartCount: 0 };
      const status = { ...told, resources: { requests: { cpu } } };
      return { ...built, status: { phase: 'Running', containerStatuses: [status] } };
    };
    cluster.put('pods', resized('3'));
    cluster.put('pods', pod('waits').requests({ cpu: '2' }).build());
    running.start();
    await eventually(() => {
      expect(running.condition('waits')).toContain('1 Insufficient cpu');
    });
    cluster.put('pods', resized('1'));
    await eventually(() => {
      expect(cluster.placements()).toMatchObject({ waits: 'n1' });
    });
  });

  it('waits for a first node', async () => {
    const { cluster } = running;
    cluster.put('pods', pod('a').build());
    running.start();
    await eventually(() => {
      expect(running.condition('a')).toBe(
        'False Unschedulable: no nodes available to schedule pods',
      );
    });
    cluster.put('nodes', node('n1').build());
    await eventually(() => {
      expect(cluster.placements()).toEqual({ a: 'n1' });
    });
  });

  it('evicts the less important pod and gives its place to the more important', async () => {
    const { cluster, events } = running;
    cluster.put('nodes', node('n1').build());
    cluster.put('pods', pod('low').requests({ cpu: '3' }).priority(1).on('n1').build());
    cluster.put('pods', pod('high').requests({ cpu: '3' }).priority(10).build());
    running.start();
    await eventually(() => {
      expect(cluster.placements()).toEqual({ high: 'n1' });
    });
    expect(events).toContain(
      'Preempting: Normal Preempted low: Preempted by pod uid-high on node n1',
    );
  });

  it('holds a gated pod back until its gates are gone', async () => {
    const { cluster } = running;
    cluster.put('nodes', node('n1').build());
    cluster.put(
      'pods',
      pod('a')
        .spec({ schedulingGates: [{ name: 'x' }] })
        .build(),
    );
    cluster.put('pods', pod('b').build());
    running.start();
    await eventually(() => {
      expect(cluster.placements()).toEqual({ a: '', b: 'n1' });
    });
    cluster.put('pods', pod('a').build());
    await eventually(() => {
      expect(cluster.placements()).toEqual({ a: 'n1', b: 'n1' });
    });
  });

  it("leaves another scheduler's pods alone", async () => {
    const { cluster } = running;
    cluster.put('nodes', node('n1').build());
    cluster.put('pods', pod('theirs').spec({ schedulerName: 'other' }).build());
    cluster.put('pods', pod('ours').build());
    running.start();
    await eventually(() => {
      expect(cluster.placements()).toEqual({ theirs: '', ours: 'n1' });
    });
  });

  it('gives the place back when the binding fails, and tries again', async () => {
    const { cluster } = running;
    cluster.put('nodes', node('n1').build());
    cluster.bindingError = new Error('the server is away');
    cluster.put('pods', pod('a').requests({ cpu: '4' }).build());
    running.start();
    await eventually(() => {
      expect(running.condition('a')).toBe('False SchedulerError: the server is away');
    });
    cluster.bindingError = undefined;
    await eventually(
      () => {
        expect(cluster.placements()).toEqual({ a: 'n1' });
      },
      { timeoutMs: 5000 },
    );
  });

  it('tries a refused pod again when a pod that was in the way leaves', async () => {
    const { cluster } = running;
    cluster.put('nodes', node('n1').build());
    cluster.put('pods', pod('first').requests({ cpu: '3' }).on('n1').build());
    cluster.put('pods', pod('second').requests({ cpu: '3' }).build());
    running.start();
    await eventually(() => {
      expect(running.condition('second')).toContain('1 Insufficient cpu');
    });
    cluster.remove('pods', { namespace: 'default', name: 'first' });
    await eventually(() => {
      expect(cluster.placements()).toEqual({ second: 'n1' });
    });
  });
});
