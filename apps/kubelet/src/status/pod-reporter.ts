import type { Pod, PodStatus } from '@orrery/api';
import { toTime } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { terminationMessage } from '../containers/termination-message.js';
import { isStaticPod, uidOf } from '../containers/visit.js';
import type { PodDirectory } from '../pod-sources/pod-directory.js';
import type { ReportInput } from '../pod-workers/worker-hooks.js';
import type { PodResizer } from '../resize/pod-resizer.js';
import { isOfKubelet } from './conditions.js';
import { generateStatus } from './generate-status.js';
import type { ProbeState } from './generate-status.js';
import type { StatusManager } from './status-manager.js';

export interface ReporterParts {
  readonly clock: Clock;
  readonly directory: PodDirectory;
  readonly statuses: StatusManager;
  readonly probes: ProbeState;
  readonly hostIps: readonly string[];
  readonly resizer: Pick<PodResizer, 'conditions' | 'statusOf' | 'granted' | 'whole'>;
  runtimeName(): string;
  /** Whether the runtime can make volumes read-only with the mounts below. */
  recursiveReadOnly(): boolean;
}

/** What was reported last, with the conditions of others as they show them by now: a readiness gate may have closed again. */
export function newestStatus(own: PodStatus, shown: PodStatus = {}): PodStatus {
  const mine = (own.conditions ?? []).filter(({ type }) => isOfKubelet(type));
  const others = (shown.conditions ?? []).filter(
    ({ type }) => !mine.some((one) => one.type === type),
  );
  return { ...own, conditions: [...mine, ...others] };
}

/** Turns what a worker knows into the pod's status and hands it to the status manager. */
export class PodReporter {
  constructor(private readonly parts: ReporterParts) {}

  /** The newest status of the pod, from here or from before the kubelet started. */
  lastStatus(pod: Pod): PodStatus {
    const { directory, statuses } = this.parts;
    const shown = isStaticPod(pod) ? directory.mirrorOf(pod) : (directory.get(uidOf(pod)) ?? pod);
    const own = statuses.get(uidOf(pod));
    return own ? newestStatus(own, shown?.status) : (shown?.status ?? {});
  }

  report(pod: Pod, input: ReportInput): PodStatus {
    const { clock, probes, hostIps, statuses, resizer } = this.parts;
    const old = this.lastStatus(pod);
    const status = generateStatus({
      pod,
      runtimePod: input.runtimePod,
      old,
      reasons: input.reasons,
      probes,
      runtimeName: this.parts.runtimeName(),
      recursiveReadOnly: this.parts.recursiveReadOnly(),
      hostIps,
      now: toTime(clock.now()),
      terminal: input.terminal,
      ...(input.failure ? { failure: input.failure } : {}),
      terminationMessage,
      resizeConditions: input.terminal
        ? []
        : resizer.conditions(pod, input.runtimePod?.containers ?? []),
      podResourcesOf: () => resizer.whole.statusOf(resizer.granted(pod), old),
      resourcesOf: (name, container, old) => resizer.statusOf(pod, name, container, old),
    });
    statuses.set(pod, status);
    return status;
  }
}
