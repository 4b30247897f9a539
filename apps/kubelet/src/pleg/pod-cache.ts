import type { RuntimePod } from '../runtime/runtime.js';

/** The newest known runtime state per pod; `changed` is called with each uid whose state differs. */
export class PodCache {
  private readonly pods = new Map<string, RuntimePod>();
  private readonly prints = new Map<string, string>();
  private onChange: (uid: string) => void = () => undefined;

  setListener(listener: (uid: string) => void): void {
    this.onChange = listener;
  }

  get(uid: string): RuntimePod | undefined {
    return this.pods.get(uid);
  }

  all(): RuntimePod[] {
    return [...this.pods.values()];
  }

  /** Stores the state; tells whether it differs from the last. */
  set(uid: string, pod: RuntimePod | undefined, notify = true): boolean {
    const print = pod ? fingerprint(pod) : undefined;
    if (this.prints.get(uid) === print) return false;
    if (pod && print !== undefined) {
      this.pods.set(uid, pod);
      this.prints.set(uid, print);
    } else {
      this.pods.delete(uid);
      this.prints.delete(uid);
    }
    if (notify) this.onChange(uid);
    return true;
  }
}

/** Everything that a pod worker reacts to. */
export function fingerprint(pod: RuntimePod): string {
  const sandboxes = pod.sandboxes.map(
    (one) => `${one.id}:${one.ready ? 1 : 0}:${one.ips.join(',')}`,
  );
  const containers = pod.containers.map(
    (one) =>
      `${one.id}:${one.state}:${one.exitCode}:${one.resources?.memoryLimitBytes ?? 0}:${one.resources?.cpuShares ?? 0}:${one.resources?.cpuQuota ?? 0}`,
  );
  return `${sandboxes.join(';')}|${containers.join(';')}`;
}
