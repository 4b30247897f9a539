import type { Pod, PodStatus } from '@orrery/api';
import { isConflict, isNotFound, keyOf } from '@orrery/apimachinery';
import type { Reaction } from '@orrery/apimachinery';
import { reactingTo } from '@orrery/client';
import type { Logger } from '@orrery/component';
import { isMirrorPod, uidOf } from '../containers/visit.js';
import type { Gate } from './gate.js';
import { diffStatus, sameStatus } from './status-patch.js';

const versionOf = (pod: Pod): number => Number(pod.metadata.resourceVersion ?? 0);

/** The two writes that the kubelet makes to pods. */
export interface PodWriter {
  patchStatus(pod: Pod, patch: Readonly<Record<string, unknown>>): Promise<Pod>;
  /** With gracePeriodSeconds 0 and a uid precondition. */
  deletePod(pod: Pod): Promise<void>;
}

interface Entry {
  pod: Pod;
  status: PodStatus;
  version: number;
  sentVersion: number;
  /** What the API server has, as far as known. */
  sent: PodStatus | undefined;
  /** The newest state of the pod that somebody else wrote: what this kubelet reacts to. */
  reactsTo: number;
  /** Our own writes that the watch has not shown yet. */
  readonly own: Set<number>;
  /** Resource version of the last write; what is older says nothing about it. */
  writtenAt: number;
  /** Of the first change that the API server does not have yet. */
  written: (() => void) | undefined;
  /** Everything on this node of the pod is gone; the API object may go too. */
  reclaimed: boolean;
  deleted: boolean;
  busy: Promise<void> | undefined;
  failures: number;
}

/** Notes the state that a watch or a worker brought, unless it is what this kubelet wrote itself. */
function noteState(entry: Entry, pod: Pod): void {
  const version = versionOf(pod);
  if (!entry.own.has(version)) entry.reactsTo = Math.max(entry.reactsTo, version);
  for (const own of entry.own) if (own < version) entry.own.delete(own);
}

function noteOwnWrite(entry: Entry, version: number, reactedTo: number): void {
  entry.writtenAt = version;
  entry.own.add(version);
  // The watch may have been faster than the answer.
  if (entry.reactsTo === version) entry.reactsTo = reactedTo;
}

const reactionOf = ({ reactsTo }: Entry): Reaction => ({
  controller: 'kubelet',
  ...(reactsTo ? { revision: reactsTo } : {}),
});

export interface StatusOptions {
  /** What waits here is told when its turn comes, in its newest state; what was overtaken is never sent. */
  readonly gate?: Gate | undefined;
  /** Begins to measure a change of a status; the result is called once the API has it. */
  readonly changed?: (() => () => void) | undefined;
}

export interface StatusTargets {
  /** The API object that shows `pod`: itself, or the mirror of a static pod; undefined while there is none. */
  apiPod(pod: Pod): Pod | undefined;
}

/**
 * Newest status per pod, sent in order: a status is never overwritten by an older one, and a pod is deleted from the
 * API only after its last status arrived (k8s pkg/kubelet/status/status_manager.go).
 */
export class StatusManager {
  private readonly entries = new Map<string, Entry>();
  private stopped = false;

  constructor(
    private readonly writer: PodWriter,
    private readonly targets: StatusTargets,
    private readonly logger: Logger,
    private readonly retry: (ms: number, callback: () => void) => void,
    private readonly options: StatusOptions = {},
  ) {}

  stop(): void {
    this.stopped = true;
  }

  /** Last status set, else undefined. */
  get(uid: string): PodStatus | undefined {
    return this.entries.get(uid)?.status;
  }

  set(pod: Pod, status: PodStatus): void {
    const entry = this.entryOf(pod);
    entry.pod = pod;
    noteState(entry, pod);
    if (entry.version > 0 && sameStatus(entry.status, status)) return;
    entry.status = status;
    entry.version++;
    entry.written ??= this.options.changed?.();
    this.kick(entry);
  }

  /**
   * The API's view of a pod arrived: resend when somebody else changed what this kubelet owns, as the node controller
   * does for a silent node (k8s pkg/kubelet/status/status_manager.go:needsReconcile).
   */
  observe(pod: Pod): void {
    const entry = this.entries.get(uidOf(pod));
    if (!entry) return;
    entry.pod = pod;
    noteState(entry, pod);
    this.compare(entry, pod);
    if (entry.reclaimed) this.kick(entry);
  }

  /** The same for a static pod, which the API shows as `mirror`. */
  observeMirror(uid: string, mirror: Pod): void {
    const entry = this.entries.get(uid);
    if (entry) this.compare(entry, mirror);
  }

  /** Resends everything of a pod whose API object is new, e.g. a mirror pod that was just created. */
  resend(uid: string): void {
    const entry = this.entries.get(uid);
    if (!entry) return;
    entry.sent = undefined;
    entry.sentVersion = 0;
    this.kick(entry);
  }

  /** Allows deletion of the API object once its final status is there. */
  reclaim(pod: Pod): void {
    const entry = this.entryOf(pod);
    entry.reclaimed = true;
    this.kick(entry);
  }

  forget(uid: string): void {
    this.entries.delete(uid);
  }

  /** Resolves when all statuses set so far were sent or failed. */
  async settled(): Promise<void> {
    for (const entry of this.entries.values()) await entry.busy;
  }

  private entryOf(pod: Pod): Entry {
    const uid = uidOf(pod);
    const found = this.entries.get(uid);
    if (found) return found;
    const entry: Entry = {
      pod,
      status: pod.status ?? {},
      version: 0,
      sentVersion: 0,
      sent: undefined,
      reactsTo: 0,
      own: new Set(),
      writtenAt: 0,
      written: undefined,
      reclaimed: false,
      deleted: false,
      busy: undefined,
      failures: 0,
    };
    this.entries.set(uid, entry);
    return entry;
  }

  private compare(entry: Entry, shown: Pod): void {
    const isSettled = !entry.busy && entry.version > 0 && entry.sentVersion === entry.version;
    if (!isSettled || versionOf(shown) < entry.writtenAt) return;
    if (!diffStatus(shown.status ?? {}, entry.status)) return;
    entry.sent = shown.status;
    entry.sentVersion = 0;
    this.kick(entry);
  }

  private kick(entry: Entry): void {
    if (entry.busy || this.stopped) return;
    entry.busy = this.sync(entry).finally(() => {
      entry.busy = undefined;
    });
  }

  private async sync(entry: Entry): Promise<void> {
    try {
      const { gate = (write) => write() } = this.options;
      while (await gate(() => this.next(entry)));
      entry.failures = 0;
    } catch (error) {
      if (isNotFound(error) || (isConflict(error) && !this.isCurrent(entry))) return;
      const delay = Math.min(10_000, 200 * 2 ** entry.failures++);
      this.logger.warn('pod status not written', {
        pod: entry.pod.metadata.name,
        error: String(error),
      });
      this.retry(delay, () => {
        if (this.isCurrent(entry)) this.kick(entry);
      });
    }
  }

  private isCurrent(entry: Entry): boolean {
    return this.entries.get(uidOf(entry.pod)) === entry;
  }

  private next(entry: Entry): Promise<boolean> {
    if (this.stopped) return Promise.resolve(false);
    return reactingTo(reactionOf(entry), () => this.step(entry));
  }

  /** Sends one thing; false when there is nothing to send. */
  private async step(entry: Entry): Promise<boolean> {
    const target = this.targets.apiPod(entry.pod);
    if (!target || !this.isCurrent(entry)) return false;
    if (entry.sentVersion < entry.version) {
      await this.sendStatus(entry, target);
      return true;
    }
    const deletable = entry.reclaimed && entry.pod.metadata.deletionTimestamp !== undefined;
    if (!deletable || entry.deleted || isMirrorPod(target)) return false;
    entry.deleted = true;
    try {
      await this.writer.deletePod(target);
    } catch (error) {
      entry.deleted = isNotFound(error) || isConflict(error);
      if (!entry.deleted) throw error;
    }
    this.logger.debug('pod deleted from the api', { pod: keyOf(target).name });
    return false;
  }

  private async sendStatus(entry: Entry, target: Pod): Promise<void> {
    const { version, status, reactsTo } = entry;
    const before = entry.sent ?? target.status ?? {};
    const patch = diffStatus(before, status);
    if (patch) {
      const answer = await this.writer.patchStatus(target, {
        metadata: { uid: uidOf(target) },
        status: patch,
      });
      entry.sent = answer.status ?? status;
      noteOwnWrite(entry, versionOf(answer), reactsTo);
    } else entry.sent = before;
    entry.sentVersion = version;
    if (version !== entry.version) return;
    entry.written?.();
    entry.written = undefined;
  }
}
