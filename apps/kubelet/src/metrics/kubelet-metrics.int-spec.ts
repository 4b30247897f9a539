import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { podOf } from '../../test/builders.js';
import { FakeApi } from '../../test/fake-api.js';
import { UPSTREAM_METRICS, WITHOUT_MEANING } from '../../test/upstream-metrics.js';
import { parseOptions } from '../config/kubelet-options.js';
import { Kubelet } from '../kubelet.js';
import { InMemoryRuntime } from '../runtime/in-memory-runtime.js';
import { KubeletGauges } from './kubelet-gauges.js';

/** As the API has it. */
const asPod = (object: unknown): Pod => object as Pod;

describe('the metrics of a kubelet', () => {
  let root = '';
  let api: FakeApi;
  let kubelet: Kubelet;
  let runtime: InMemoryRuntime;
  let running: Promise<void>;
  const clock = new SystemClock();
  let stop: AbortController;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'kubelet-metrics-'));
    api = new FakeApi();
    stop = new AbortController();
    runtime = new InMemoryRuntime(() => clock.now());
    const options = parseOptions([
      `--root-dir=${root}`,
      '--node-ip=127.235.9.4',
      '--hostname-override=n1',
    ]);
    const { client } = api;
    const random = new SystemRandom();
    kubelet = new Kubelet(options, { client, runtime, clock, random, logger: silentLogger });
    await kubelet.prepareStart();
    const informers = kubelet.informers.start(stop.signal);
    running = Promise.all([kubelet.start(stop.signal), informers.catch(() => undefined)]).then(
      () => undefined,
    );
  });

  afterEach(async () => {
    stop.abort();
    await running;
    await rm(root, { recursive: true, force: true });
  });

  async function text(): Promise<string> {
    const { registry } = kubelet.metrics;
    await new KubeletGauges(registry, kubelet).refresh(new Map());
    return registry.text();
  }

  /** The value of one series; undefined when it is not there. */
  async function valueOf(series: string): Promise<number | undefined> {
    const line = (await text()).split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  }

  /** A pod comes to the node, and the node hears again what it has told of it. */
  async function run(given: Pod): Promise<void> {
    const { uid: _, ...metadata } = given.metadata;
    const creationTimestamp = new Date(clock.now() - 1_000).toISOString();
    const pod = asPod(api.put('pods', { ...given, metadata: { ...metadata, creationTimestamp } }));
    kubelet.sync.onPod(pod);
    const key = { namespace: 'default', name: metadata.name ?? '' };
    await eventually(() => {
      expect(api.get('pods', key)?.status?.['phase']).toBe('Running');
    });
    kubelet.sync.onPod(asPod(api.get('pods', key)));
  }

  it('tell 1 of each thing that one pod does', async () => {
    await run(podOf('a', {}, { image: 'nginx:1' }));
    const ones = [
      'kubelet_started_pods_total',
      'kubelet_started_containers_total{container_type="container"}',
      'kubelet_running_pods',
      'kubelet_running_containers{container_state="running"}',
      'kubelet_desired_pods{static=""}',
      'kubelet_active_pods{static=""}',
      'kubelet_working_pods{lifecycle="sync",config="desired",static=""}',
      'kubelet_containers_per_pod_count_count',
      'kubelet_pod_worker_duration_seconds_count{operation_type="create"}',
      'kubelet_pod_worker_start_duration_seconds_count',
      'kubelet_pod_start_duration_seconds_count',
      'kubelet_pod_start_sli_duration_seconds_count',
      'kubelet_pod_start_total_duration_seconds_count',
      'kubelet_image_manager_ensure_image_requests_total{pull_policy="ifnotpresent",present_locally="false",pull_required="true"}',
      'kubelet_image_pull_duration_seconds_count{image_size_in_bytes="N/A"}',
      'kubelet_node_name{node="n1"}',
      'kubelet_imagemanager_ondisk_pulledrecords',
    ];
    await eventually(async () => {
      for (const series of ones) expect([series, await valueOf(series)]).toEqual([series, 1]);
    });
    const total = (await valueOf('kubelet_pod_start_total_duration_seconds_sum')) ?? 0;
    expect(total).toBeGreaterThanOrEqual(1);
    expect(
      await valueOf('kubelet_first_network_pod_start_sli_duration_seconds'),
    ).toBeLessThanOrEqual(total);
    expect(await valueOf('kubelet_pod_status_sync_duration_seconds_count')).toBeGreaterThanOrEqual(
      1,
    );
    expect(await valueOf('kubelet_pleg_relist_duration_seconds_count')).toBeGreaterThanOrEqual(1);
    expect(await valueOf('kubelet_pleg_last_seen_seconds')).toBeGreaterThan(1e9);
    expect(
      await valueOf('kubelet_node_startup_registration_duration_seconds'),
    ).toBeGreaterThanOrEqual(0);
  });

  it('tell why a container did not start, by its type', async () => {
    runtime.refuseImage('gone:1');
    const pod = podOf('b', { initContainers: [{ name: 'i', image: 'gone:1' }] });
    kubelet.sync.onPod(asPod(api.put('pods', pod)));
    await eventually(async () => {
      expect(
        await valueOf(
          'kubelet_started_containers_errors_total{container_type="init_container",code="ErrImagePull"}',
        ),
      ).toBeGreaterThanOrEqual(1);
    });
    expect(await valueOf('kubelet_started_pods_errors_total')).toBe(0);
  });

  it('tell of a pod that is not let in, and of a resize that is asked for', async () => {
    kubelet.sync.onPod(asPod(api.put('pods', podOf('c', { nodeSelector: { a: 'b' } }))));
    const asking = (cpu: string): Pod =>
      podOf('d', {}, { image: 'nginx:1', resources: { requests: { cpu } } });
    await run(asking('10m'));
    const { uid } = api.get('pods', { namespace: 'default', name: 'd' })?.metadata ?? {};
    const wanted = asking('20m');
    kubelet.sync.onPod({
      ...wanted,
      metadata: { ...wanted.metadata, uid: uid ?? '', generation: 2 },
    });
    await eventually(async () => {
      expect(await valueOf('kubelet_admission_rejections_total{reason="Other"}')).toBe(1);
    });
    expect(
      await valueOf(
        'kubelet_container_requested_resizes_total{resource="cpu",requirement="requests",operation="increase"}',
      ),
    ).toBe(1);
  });

  it('tell of probes, as long as their pod is there', async () => {
    const readinessProbe = { exec: { command: ['true'] }, periodSeconds: 1 };
    await run(podOf('e', {}, { image: 'nginx:1', readinessProbe }));
    const { probeRegistry } = kubelet.metrics;
    await eventually(async () => {
      expect(await probeRegistry.text()).toMatch(
        /prober_probe_total\{probe_type="Readiness",container="c",pod="e",namespace="default",pod_uid="[^"]+",result="successful"\} [1-9]/,
      );
    });
    expect(await probeRegistry.text()).toContain(
      'prober_probe_duration_seconds_count{probe_type="Readiness",container="c",pod="e",namespace="default"}',
    );
    const uid = api.get('pods', { namespace: 'default', name: 'e' })?.metadata.uid ?? '';
    kubelet.probes.remove(uid);
    expect(await probeRegistry.text()).not.toContain('pod="e"');
  });

  it('are upstream’s, but for what has no meaning here', async () => {
    const lines = (await text()).split('\n').filter((line) => line.startsWith('# TYPE'));
    const names = lines.map((line) => line.split(' ')[2] ?? '');
    const wanted = UPSTREAM_METRICS.filter(
      (name) => !WITHOUT_MEANING.some((one) => one.names.test(name)),
    );
    expect(names.toSorted()).toEqual(wanted.toSorted());
    for (const { names: pattern } of WITHOUT_MEANING)
      expect(UPSTREAM_METRICS.filter((name) => pattern.test(name))).not.toEqual([]);
  });
});
