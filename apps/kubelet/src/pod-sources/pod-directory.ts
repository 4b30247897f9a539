import type { Pod } from '@orrery/api';
import { fullNameOf, isMirrorPod, uidOf } from '../containers/visit.js';

/** The pods that this kubelet shall run, from all sources, and the mirrors of the static ones. */
export class PodDirectory {
  private readonly pods = new Map<string, Pod>();
  private readonly mirrors = new Map<string, Pod>();

  get(uid: string): Pod | undefined {
    return this.pods.get(uid);
  }

  all(): Pod[] {
    return [...this.pods.values()];
  }

  find(namespace: string, name: string): Pod | undefined {
    return this.all().find(
      (pod) => pod.metadata.namespace === namespace && pod.metadata.name === name,
    );
  }

  mirrorOf(pod: Pod): Pod | undefined {
    return this.mirrors.get(fullNameOf(pod));
  }

  allMirrors(): Pod[] {
    return [...this.mirrors.values()];
  }

  /** The static pod that `mirror` shows. */
  staticOf(mirror: Pod): Pod | undefined {
    return this.all().find((pod) => fullNameOf(pod) === fullNameOf(mirror));
  }

  put(pod: Pod): void {
    if (isMirrorPod(pod)) this.mirrors.set(fullNameOf(pod), pod);
    else this.pods.set(uidOf(pod), pod);
  }

  remove(pod: Pod): void {
    if (!isMirrorPod(pod)) this.pods.delete(uidOf(pod));
    else if (uidOf(this.mirrors.get(fullNameOf(pod)) ?? pod) === uidOf(pod))
      this.mirrors.delete(fullNameOf(pod));
  }
}
