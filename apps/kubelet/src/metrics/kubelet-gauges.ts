import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '@orrery/api';
import type { Metrics } from '@orrery/component';
import { podLogDir } from '../containers/paths.js';
import { ephemeralContainersOf, isStaticPod, uidOf } from '../containers/visit.js';
import type { Kubelet } from '../kubelet.js';
import type { Certificates } from './certificates.js';
import type { VolumeStats } from '../server/stats/volume-stats.js';
import { folderUsage } from '../volumes/disk-usage.js';

/** How upstream's labels say that a pod is not from the API server. */
const staticLabelOf = (pod: Pod): string => (isStaticPod(pod) ? 'true' : '');

const STATES = ['created', 'running', 'exited', 'unknown'] as const;

/** Families of /metrics that are read off the kubelet when somebody asks (k8s pkg/kubelet/metrics/metrics.go, v1.36). */
export class KubeletGauges {
  constructor(
    private readonly metrics: Metrics,
    private readonly kubelet: Kubelet,
  ) {}

  /** Sets all to what holds now. */
  async refresh(
    volumes: ReadonlyMap<string, readonly VolumeStats[]>,
    certificates: Certificates = {},
  ): Promise<void> {
    this.tellNode();
    this.tellPods();
    this.tellWorkers();
    this.tellRuntime();
    this.tellResizes();
    this.tellImages();
    this.tellVolumes();
    this.tellVolumeStats(volumes);
    this.tellCertificates(certificates);
    await this.tellLogs();
  }

  private tellNode(): void {
    this.gauge('kubelet_node_name', "The node's name. The count is always 1.", ['node']).set(
      { node: this.kubelet.options.nodeName },
      1,
    );
    this.gauge(
      'kubelet_metrics_provider',
      "Metrics provider used by kubelet to collect container stats. Values can be 'cadvisor' and 'cri'",
      ['provider'],
    ).set({ provider: 'cri' }, 1);
    const version = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1;
    this.gauge('kubelet_cgroup_version', 'cgroup version on the hosts.').set(version);
  }

  private tellPods(): void {
    const { directory, workers } = this.kubelet;
    const desired = directory.all();
    const tellBoth = (name: string, help: string, pods: readonly Pod[]): void => {
      const gauge = this.gauge(name, help, ['static']);
      for (const label of ['', 'true'])
        gauge.set({ static: label }, pods.filter((pod) => staticLabelOf(pod) === label).length);
    };
    tellBoth(
      'kubelet_desired_pods',
      'The number of pods the kubelet is being instructed to run. static is true if the pod is not from the apiserver.',
      desired,
    );
    tellBoth(
      'kubelet_active_pods',
      'The number of pods the kubelet considers active and which are being considered when admitting new pods. static is true if the pod is not from the apiserver.',
      workers.active(),
    );
    this.gauge(
      'kubelet_mirror_pods',
      'The number of mirror pods the kubelet will try to create (one per admitted static pod)',
    ).set(desired.filter(isStaticPod).length);
    this.gauge(
      'kubelet_managed_ephemeral_containers',
      'Current number of ephemeral containers in pods managed by this kubelet.',
    ).set(desired.flatMap(ephemeralContainersOf).length);
  }

  private tellWorkers(): void {
    const { directory, workers } = this.kubelet;
    const gauge = this.gauge(
      'kubelet_working_pods',
      'Number of pods the kubelet is actually running, broken down by lifecycle phase, whether the pod is desired, orphaned, or runtime only (also orphaned), and whether the pod is static. An orphaned pod has been removed from local configuration or force deleted in the API and consumes resources that are not otherwise visible.',
      ['lifecycle', 'config', 'static'],
    );
    for (const lifecycle of ['sync', 'terminating', 'terminated'])
      for (const config of ['desired', 'orphan', 'runtime_only'])
        for (const label of ['', 'true'])
          // What only the runtime knows has no source, and nothing more is synced of an orphan.
          if (!(config === 'runtime_only' && (label === 'true' || lifecycle === 'sync')))
            gauge.set({ lifecycle, config, static: label }, 0);
    for (const { pod, lifecycle, isRuntimeOnly } of workers.states()) {
      const orphan = isRuntimeOnly ? 'runtime_only' : 'orphan';
      const config = directory.get(uidOf(pod)) ? 'desired' : orphan;
      gauge.inc({ lifecycle, config, static: staticLabelOf(pod) });
    }
  }

  private tellRuntime(): void {
    const pods = this.kubelet.cache.all();
    this.gauge('kubelet_running_pods', 'Number of pods that have a running pod sandbox').set(
      pods.filter((pod) => pod.sandboxes.some((one) => one.ready)).length,
    );
    const containers = this.gauge(
      'kubelet_running_containers',
      'Number of containers currently running',
      ['container_state'],
    );
    const all = pods.flatMap((pod) => pod.containers);
    for (const container_state of STATES)
      containers.set(
        { container_state },
        all.filter(({ state }) => state === container_state).length,
      );
  }

  private tellResizes(): void {
    const { deferred, infeasible, inProgress } = this.kubelet.resizer.open();
    const pending = this.gauge(
      'kubelet_pod_pending_resizes',
      'Number of pending resizes for pods.',
      ['reason'],
    );
    pending.set({ reason: 'deferred' }, deferred);
    pending.set({ reason: 'infeasible' }, infeasible);
    this.gauge('kubelet_pod_in_progress_resizes', 'Number of in-progress resizes for pods.').set(
      inProgress,
    );
  }

  private tellImages(): void {
    const { intents, pulled } = this.kubelet.imageAccess.stored();
    this.gauge(
      'kubelet_imagemanager_ondisk_pullintents',
      'Number of ImagePullIntents stored on disk.',
    ).set(intents);
    this.gauge(
      'kubelet_imagemanager_ondisk_pulledrecords',
      'Number of ImagePulledRecords stored on disk.',
    ).set(pulled);
  }

  private tellVolumes(): void {
    const { volumes, workers } = this.kubelet;
    const gauge = this.gauge(
      'volume_manager_total_volumes',
      'Number of volumes in Volume Manager',
      ['plugin_name', 'state'],
    );
    gauge.reset();
    for (const pod of workers.active())
      for (const { plugin: plugin_name, isMounted } of volumes.pluginsOf(pod)) {
        gauge.inc({ plugin_name, state: 'desired_state_of_world' });
        if (isMounted) gauge.inc({ plugin_name, state: 'actual_state_of_world' });
      }
  }

  /** Of claims alone (k8s pkg/kubelet/metrics/collectors/volume_stats.go). */
  private tellVolumeStats(volumes: ReadonlyMap<string, readonly VolumeStats[]>): void {
    const stats = [...volumes.values()].flat();
    const families: readonly [string, string, (one: VolumeStats) => number][] = [
      ['capacity_bytes', 'Capacity in bytes of the volume', (one) => one.capacityBytes],
      ['available_bytes', 'Number of available bytes in the volume', (one) => one.availableBytes],
      ['used_bytes', 'Number of used bytes in the volume', (one) => one.usedBytes],
      ['inodes', 'Maximum number of inodes in the volume', (one) => one.inodes],
      ['inodes_free', 'Number of free inodes in the volume', (one) => one.inodesFree],
      ['inodes_used', 'Number of used inodes in the volume', (one) => one.inodesUsed],
    ];
    for (const [name, help, value] of families) {
      const labels = ['namespace', 'persistentvolumeclaim'];
      const gauge = this.gauge(`kubelet_volume_stats_${name}`, help, labels);
      gauge.reset();
      for (const one of stats)
        if (one.pvcRef) {
          const { namespace, name: persistentvolumeclaim } = one.pvcRef;
          gauge.set({ namespace, persistentvolumeclaim }, value(one));
        }
    }
  }

  /** k8s pkg/kubelet/certificate/kubelet.go: +Inf for a certificate that is not there. */
  private tellCertificates({ client, server }: Certificates): void {
    const nowMs = this.kubelet.clock.now();
    const secondsOf = (pem: string | undefined): number =>
      pem === undefined ? Infinity : (Date.parse(new X509Certificate(pem).validTo) - nowMs) / 1000;
    const tell = (of: string, help: string, pem: string | undefined): void =>
      this.gauge(
        `kubelet_certificate_manager_${of}_ttl_seconds`,
        `Gauge of the ${help}. The value is in seconds until certificate expiry (negative if already expired). If ${of === 'client' ? 'client' : 'serving'} certificate is invalid or unused, the value will be +INF.`,
      ).set(secondsOf(pem));
    tell('client', "TTL (time-to-live) of the Kubelet's client certificate", client);
    tell('server', "shortest TTL (time-to-live) of the Kubelet's serving certificate", server);
  }

  private async tellLogs(): Promise<void> {
    const gauge = this.gauge(
      'kubelet_container_log_filesystem_used_bytes',
      "Bytes used by the container's logs on the filesystem.",
      ['uid', 'namespace', 'pod', 'container'],
    );
    gauge.reset();
    const { workers, cache, options } = this.kubelet;
    for (const pod of workers.active()) {
      const uid = uidOf(pod);
      const { namespace = '', name = '' } = pod.metadata;
      for (const container of new Set(cache.get(uid)?.containers.map((one) => one.name))) {
        const { bytes } = await folderUsage(join(podLogDir(options.paths, pod), container));
        gauge.set({ uid, namespace, pod: name, container }, bytes);
      }
    }
  }

  private gauge(name: string, help: string, labels: readonly string[] = []) {
    return this.metrics.gauge({ name, help, labels });
  }
}
