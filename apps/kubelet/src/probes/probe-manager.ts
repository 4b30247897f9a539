import type { Container, Pod } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { initContainersOf, isSidecar, uidOf } from '../containers/visit.js';
import type { ProbeMetrics } from '../metrics/probe-metrics.js';
import type { ProbeVerdicts } from '../pod-workers/compute-actions.js';
import type { PodEvents } from '../pod-workers/pod-events.js';
import { latestContainer, readySandbox } from '../runtime/runtime.js';
import type { RuntimePod } from '../runtime/runtime.js';
import type { ProbeState } from '../status/generate-status.js';
import { ProbeWorker } from './probe-worker.js';
import type { ProbeKind, ProbeTarget } from './probe-worker.js';
import type { Prober } from './prober.js';

export interface ProbeManagerParts {
  readonly prober: Pick<Prober, 'probe'>;
  readonly clock: Clock;
  readonly events: PodEvents;
  readonly metrics?: ProbeMetrics | undefined;
  runtimePod(uid: string): RuntimePod | undefined;
  /** A verdict changed: the pod's worker must look. */
  changed(uid: string): void;
}

interface Running {
  readonly workers: readonly ProbeWorker[];
  readonly abort: AbortController;
  /** Container names by kind of probe. */
  readonly probed: ReadonlySet<string>;
  readonly runs: readonly Promise<void>[];
}

interface ProbeLabels {
  readonly probe_type: string;
  readonly container: string;
  readonly pod: string;
  readonly namespace: string;
}

interface Outcome {
  readonly passed: boolean;
  readonly seconds: number;
}

const TITLES: Readonly<Record<ProbeKind, string>> = {
  startup: 'Startup',
  readiness: 'Readiness',
  liveness: 'Liveness',
};
const KINDS: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];

const probeOf = (container: Container, kind: ProbeKind): Container['livenessProbe'] =>
  kind === 'startup'
    ? container.startupProbe
    : kind === 'readiness'
      ? container.readinessProbe
      : container.livenessProbe;

/** Probes of all pods and their newest verdicts, by container id. */
export class ProbeManager implements ProbeVerdicts, ProbeState {
  private readonly pods = new Map<string, Running>();
  private readonly verdicts = new Map<string, boolean>();
  /** What a pod's series are called, so that they go with it. */
  private readonly told = new Map<string, Map<string, ProbeLabels>>();

  constructor(private readonly parts: ProbeManagerParts) {}

  /** Starts the pod's probes once; later calls give them the newest pod. */
  add(pod: Pod): void {
    const running = this.pods.get(uidOf(pod));
    if (running) {
      for (const worker of running.workers) worker.update(pod);
      return;
    }
    const abort = new AbortController();
    const workers: ProbeWorker[] = [];
    const probed = new Set<string>();
    for (const container of [...initContainersOf(pod).filter(isSidecar), ...pod.spec.containers])
      for (const kind of KINDS) {
        const probe = probeOf(container, kind);
        if (!probe) continue;
        probed.add(`${kind}/${container.name}`);
        workers.push(
          new ProbeWorker(kind, probe, container, pod, this.workerParts(pod, container)),
        );
      }
    const runs = workers.map((worker) => worker.start(abort.signal));
    this.pods.set(uidOf(pod), { workers, abort, probed, runs });
  }

  update(pod: Pod): void {
    for (const worker of this.pods.get(uidOf(pod))?.workers ?? []) worker.update(pod);
  }

  private count(pod: Pod, container: string, kind: ProbeKind, outcome: Outcome): void {
    const { metrics } = this.parts;
    if (!metrics) return;
    const pod_uid = uidOf(pod);
    const { namespace = '', name = '' } = pod.metadata;
    const labels = { probe_type: TITLES[kind], container, pod: name, namespace };
    const result = outcome.passed ? 'successful' : 'failed';
    metrics.total.inc({ ...labels, pod_uid, result });
    if (outcome.passed) metrics.duration.observe(labels, outcome.seconds);
    const told = this.told.get(pod_uid) ?? new Map<string, ProbeLabels>();
    told.set(`${kind}/${container}`, labels);
    this.told.set(pod_uid, told);
  }

  private forgetCounts(pod_uid: string): void {
    for (const labels of this.told.get(pod_uid)?.values() ?? []) {
      for (const result of ['successful', 'failed'])
        this.parts.metrics?.total.remove({ ...labels, pod_uid, result });
      this.parts.metrics?.duration.remove(labels);
    }
    this.told.delete(pod_uid);
  }

  remove(uid: string): void {
    this.forgetCounts(uid);
    this.pods.get(uid)?.abort.abort();
    for (const { id } of this.parts.runtimePod(uid)?.containers ?? [])
      for (const kind of KINDS) this.verdicts.delete(`${kind}/${id}`);
    this.pods.delete(uid);
  }

  async stop(): Promise<void> {
    const runs = [...this.pods.values()].flatMap((one) => one.runs);
    for (const uid of this.pods.keys()) this.remove(uid);
    await Promise.all(runs);
  }

  livenessFailed(containerId: string): boolean {
    return this.verdicts.get(`liveness/${containerId}`) === false;
  }

  startupFailed(containerId: string): boolean {
    return this.verdicts.get(`startup/${containerId}`) === false;
  }

  started(containerId: string): boolean {
    return this.verdict('startup', containerId);
  }

  ready(containerId: string): boolean {
    return this.verdict('readiness', containerId);
  }

  /** After a restart of the kubelet a running container keeps what the API says of it (KEP-4781). */
  adopt(containerId: string, state: { readonly started: boolean; readonly ready: boolean }): void {
    if (state.started && !this.verdicts.has(`startup/${containerId}`))
      this.verdicts.set(`startup/${containerId}`, true);
    if (state.ready && !this.verdicts.has(`readiness/${containerId}`))
      this.verdicts.set(`readiness/${containerId}`, true);
  }

  private verdict(kind: ProbeKind, containerId: string): boolean {
    return this.verdicts.get(`${kind}/${containerId}`) ?? !this.isProbed(kind, containerId);
  }

  /** Whether some pod has such a probe for the container of that id. */
  private isProbed(kind: ProbeKind, containerId: string): boolean {
    for (const [uid, running] of this.pods) {
      const found = this.parts.runtimePod(uid)?.containers.find((one) => one.id === containerId);
      if (found) return running.probed.has(`${kind}/${found.name}`);
    }
    return false;
  }

  private workerParts(
    pod: Pod,
    container: Container,
  ): ConstructorParameters<typeof ProbeWorker>[4] {
    const uid = uidOf(pod);
    return {
      prober: this.parts.prober,
      clock: this.parts.clock,
      target: (): ProbeTarget | undefined => this.targetOf(uid, container.name),
      started: (id) => this.started(id),
      probed: (kind, passed, seconds) => {
        this.count(pod, container.name, kind, { passed, seconds });
      },
      result: (kind, id, passed) => {
        const key = `${kind}/${id}`;
        if (this.verdicts.get(key) === passed) return;
        this.verdicts.set(key, passed);
        this.parts.changed(uid);
      },
      unhealthy: (kind, result) => {
        this.parts.events.pod(
          pod,
          'Warning',
          result.passed ? 'ProbeWarning' : 'Unhealthy',
          `${TITLES[kind]} probe ${result.passed ? 'warning' : 'failed'}: ${result.output}`,
          container.name,
        );
      },
    };
  }

  private targetOf(uid: string, name: string): ProbeTarget | undefined {
    const runtimePod = this.parts.runtimePod(uid);
    const container = latestContainer(runtimePod, name);
    if (container?.state !== 'running') return undefined;
    const podIp = readySandbox(runtimePod)?.ips[0] ?? '';
    return { containerId: container.id, startedAtMs: container.startedAtMs, podIp };
  }
}
