import type { Pod } from '@orrery/api';
import type { ObjectKey } from '@orrery/apimachinery';
import { isMirrorPod, isStaticPod, uidOf } from '../containers/visit.js';
import type { ProbeManager } from '../probes/probe-manager.js';
import type { StatusManager } from '../status/status-manager.js';
import type { MirrorClient } from '../static-pods/mirror-client.js';
import type { PodDirectory } from './pod-directory.js';
import type { PodWorkers } from '../pod-workers/pod-workers.js';

export interface PodSyncParts {
  readonly directory: PodDirectory;
  readonly workers: PodWorkers;
  readonly statuses: StatusManager;
  readonly probes: ProbeManager;
  readonly mirrors: MirrorClient;
  /** Kept state of a running pod is taken over when the kubelet first sees it. */
  adopt(pod: Pod): void;
  /** The pod left the API or its manifest. */
  forget(pod: Pod): void;
  /** The API's newest word on a pod, and the one before. */
  changed?(pod: Pod, before: Pod | undefined): void;
}

/** Merges the pod sources into the directory and tells the workers. */
export class PodSync {
  private readonly ended = new Set<string>();

  constructor(private readonly parts: PodSyncParts) {}

  /** The API's newest word on `key`; undefined = it is gone. */
  async onApiPod(key: ObjectKey, pod: Pod | undefined): Promise<void> {
    const { directory, mirrors, statuses } = this.parts;
    const known = directory
      .all()
      .find(
        (one) =>
          !isStaticPod(one) &&
          one.metadata.namespace === key.namespace &&
          one.metadata.name === key.name,
      );
    if (known && uidOf(known) !== uidOf(pod ?? known)) this.onGone(known);
    else if (known && !pod) this.onGone(known);
    const mirror = directory
      .allMirrors()
      .find((one) => one.metadata.namespace === key.namespace && one.metadata.name === key.name);
    if (pod && isMirrorPod(pod)) {
      directory.put(pod);
      const shown = directory.staticOf(pod);
      if (shown && mirror?.metadata.uid !== pod.metadata.uid) statuses.resend(uidOf(shown));
      else if (shown) statuses.observeMirror(uidOf(shown), pod);
      await mirrors.reconcile();
      return;
    }
    if (mirror) {
      directory.remove(mirror);
      await mirrors.reconcile();
    }
    if (pod) this.onPod(pod);
  }

  /** A pod to run, from any source. */
  onPod(pod: Pod): void {
    const { directory, workers, statuses, probes } = this.parts;
    const before = directory.get(uidOf(pod));
    if (!before) this.parts.adopt(pod);
    if (!isStaticPod(pod)) this.parts.changed?.(pod, before);
    directory.put(pod);
    if (isStaticPod(pod)) void this.parts.mirrors.reconcile();
    if (!isStaticPod(pod)) statuses.observe(pod);
    if (this.ended.has(uidOf(pod))) return;
    probes.update(pod);
    workers.update(pod);
  }

  onGone(pod: Pod): void {
    const { directory, workers, statuses } = this.parts;
    const last = directory.get(uidOf(pod)) ?? pod;
    directory.remove(last);
    this.ended.delete(uidOf(pod));
    if (!isStaticPod(pod)) statuses.forget(uidOf(pod));
    workers.remove(last);
    this.parts.forget(pod);
  }

  /** The pod's worker is done; one that returns starts as if nothing had been told of it. */
  onEnded(pod: Pod, returns: boolean): void {
    if (!returns && this.parts.directory.get(uidOf(pod))) this.ended.add(uidOf(pod));
    else this.parts.statuses.forget(uidOf(pod));
  }
}
