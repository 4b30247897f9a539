import type { Container, Node, Pod, PodStatus, RuntimeClass } from '@orrery/api';
import { admit } from '../admission/admission.js';
import type { KubeletOptions } from '../config/kubelet-options.js';
import type { ObjectWatches } from '../containers/object-watches.js';
import { isStaticPod, uidOf } from '../containers/visit.js';
import type { PodMetrics } from '../metrics/pod-metrics.js';
import type { NodeAgent } from '../node/node-agent.js';
import type { NodeCare } from '../node/node-care.js';
import type { Pleg } from '../pleg/pleg.js';
import type { PodCache } from '../pleg/pod-cache.js';
import type { ProbeManager } from '../probes/probe-manager.js';
import type { ResizeStep } from '../resize/pod-level.js';
import type { PodResizer } from '../resize/pod-resizer.js';
import type { RuntimeContainer, RuntimePod, SandboxConfig } from '../runtime/runtime.js';
import type { WaitingReason } from '../status/container-statuses.js';
import type { PodReporter } from '../status/pod-reporter.js';
import type { StatusManager } from '../status/status-manager.js';
import type { TokenManager } from '../volumes/token-manager.js';
import type { PodVolumes } from '../volumes/volume-manager.js';
import type { ResizePlan } from './compute-actions.js';
import type { FetchClaim } from './dynamic-resources.js';
import { prepareDevices } from './dynamic-resources.js';
import type { PodEvents } from './pod-events.js';
import { sandboxConfig } from './sandbox-config.js';
import type { ReportInput, WorkerHooks } from './worker-hooks.js';

export interface KubeletHooksParts {
  readonly options: KubeletOptions;
  readonly cache: PodCache;
  readonly pleg: Pleg;
  readonly node: NodeAgent;
  readonly care: NodeCare;
  readonly probes: ProbeManager;
  readonly volumes: PodVolumes;
  readonly watches: Pick<ObjectWatches, 'retain' | 'release'>;
  readonly tokens: TokenManager;
  readonly resizer: PodResizer;
  readonly statuses: StatusManager;
  readonly reporter: PodReporter;
  readonly events: PodEvents;
  readonly metrics?: Pick<PodMetrics, 'rejections'> | undefined;
  active(): readonly Pod[];
  runtimeClass(name: string): Promise<RuntimeClass>;
  /** Undefined where nothing runs that could use a device. */
  readonly resourceClaim: FetchClaim | undefined;
  /** Resolves once the Services are known whose variables containers get. */
  servicesKnown(): Promise<void>;
}

/** Reasons that the metric tells as they are (k8s pkg/kubelet/kubelet.go:admissionRejectionReasons). */
const KNOWN_REASONS = new Set([
  'Evicted',
  'NodeShutdown',
  'OutOfcpu',
  'OutOfephemeral-storage',
  'OutOfmemory',
  'OutOfpods',
  'PodOSNotSupported',
  'SupplementalGroupsPolicyNotSupported',
  'SysctlForbidden',
]);

function reasonLabelOf(reason: string): string {
  if (KNOWN_REASONS.has(reason)) return reason;
  return reason.startsWith('OutOf') ? 'OutOfExtendedResources' : 'Other';
}

/** What the rest of the kubelet does for a pod's worker. */
export class KubeletHooks implements WorkerHooks {
  private readonly admitted = new Set<string>();

  constructor(private readonly parts: KubeletHooksParts) {}

  cached(uid: string): RuntimePod | undefined {
    return this.parts.cache.get(uid);
  }

  refresh(uid: string): Promise<RuntimePod | undefined> {
    return this.parts.pleg.refresh(uid, false);
  }

  admit(pod: Pod): WaitingReason | undefined {
    const { node, options, resizer, care } = this.parts;
    const others = this.parts
      .active()
      .filter((one) => uidOf(one) !== uidOf(pod) && this.admitted.has(uidOf(one)))
      .map((one) => resizer.granted(one));
    const current: Node | undefined = node.current;
    const refusal =
      // What runs already was let in before.
      (this.parts.cache.get(uidOf(pod)) ? undefined : care.refusal(pod)) ??
      admit({
        pod: resizer.granted(pod),
        node: current,
        others,
        allocatable: node.allocatable(),
        maxPods: options.maxPods,
        unsafeSysctls: options.tuning.unsafeSysctls,
        hasGroupsPolicy: node.hasGroupsPolicy,
      });
    if (refusal) this.parts.metrics?.rejections.inc({ reason: reasonLabelOf(refusal.reason) });
    else this.admitted.add(uidOf(pod));
    return refusal;
  }

  /** The pod left its source. */
  forget(pod: Pod): void {
    this.admitted.delete(uidOf(pod));
  }

  allocated(pod: Pod): Pod {
    return this.parts.resizer.allocated(pod);
  }

  resizePlan(pod: Pod, container: Container, status: RuntimeContainer): ResizePlan {
    return this.parts.resizer.plan(pod, container, status);
  }

  applyResize(pod: Pod, container: Container, status: RuntimeContainer): Promise<void> {
    return this.parts.resizer.apply(pod, container, status);
  }

  sandboxMade(pod: Pod, sandboxId: string): void {
    this.parts.resizer.whole.made(pod, sandboxId);
  }

  isPodResized(pod: Pod, sandboxId: string): boolean {
    return this.parts.resizer.whole.isOpen(pod, sandboxId);
  }

  resizePod(pod: Pod, sandboxId: string, step: ResizeStep): Promise<void> {
    return this.parts.resizer.applyWhole(pod, sandboxId, step);
  }

  networkProblem(): string | undefined {
    return this.parts.node.networkProblem();
  }

  async prepare(pod: Pod): Promise<void> {
    const { watches, volumes, events } = this.parts;
    // A pod must not start without the variables of its Services; static ones may start before the API server.
    if (!isStaticPod(pod)) {
      watches.retain(pod);
      await this.parts.servicesKnown();
    }
    try {
      await volumes.mount(pod);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      events.pod(pod, 'Warning', 'FailedMount', text);
      throw error;
    }
  }

  async prepareDevices(pod: Pod): Promise<void> {
    const { resourceClaim } = this.parts;
    if (!resourceClaim) return;
    try {
      await prepareDevices(pod, resourceClaim);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const text = `Failed to prepare dynamic resources: prepare dynamic resources: ${why}`;
      this.parts.events.pod(pod, 'Warning', 'FailedPrepareDynamicResources', text);
      throw error;
    }
  }

  sandboxConfig(pod: Pod, attempt: number): SandboxConfig {
    return sandboxConfig(pod, attempt, this.parts.options);
  }

  /** k8s pkg/kubelet/runtimeclass/runtimeclass_manager.go:LookupRuntimeHandler. */
  async runtimeHandler({ spec }: Pod): Promise<string> {
    const { runtimeClassName } = spec;
    if (spec.hostUsers === false && this.parts.node.handler?.userNamespaces !== true)
      throw new Error('RuntimeClass handler "" does not support user namespaces');
    if (!runtimeClassName) return '';
    return (await this.parts.runtimeClass(runtimeClassName)).handler;
  }

  probe(pod: Pod): void {
    this.parts.probes.add(pod);
  }

  stopProbes(pod: Pod): void {
    this.parts.probes.remove(uidOf(pod));
  }

  report(pod: Pod, input: ReportInput): PodStatus {
    return this.parts.reporter.report(pod, input);
  }

  async reclaim(pod: Pod): Promise<void> {
    const uid = uidOf(pod);
    const { tokens, watches, volumes, resizer, statuses } = this.parts;
    this.admitted.delete(uid);
    tokens.forget(uid);
    watches.release(uid);
    resizer.forget(uid);
    await volumes.remove(uid);
    statuses.reclaim(pod);
  }
}
