import type { Node, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import { isAlreadyExists, isConflict, isNotFound, keyOf } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import type { Logger } from '@orrery/component';
import { isStaticPod } from '../containers/visit.js';
import type { PodDirectory } from '../pod-sources/pod-directory.js';
import { isMirrorOf, toMirrorPod } from './static-pod.js';

/** Keeps exactly one true mirror in the API for each static pod; level-triggered, safe to repeat. */
export class MirrorClient {
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: KubeClient,
    private readonly directory: PodDirectory,
    private readonly node: () => Node | undefined,
    /** A static pod has a new mirror, which shows nothing yet. */
    private readonly onMirror: (pod: Pod) => void,
    private readonly logger: Logger,
  ) {}

  /** One run at a time: two would create a mirror twice. */
  reconcile(): Promise<void> {
    this.running = this.running.then(() => this.run());
    return this.running;
  }

  private async run(): Promise<void> {
    const node = this.node();
    if (!node) return;
    for (const mirror of this.directory.allMirrors()) {
      const pod = this.directory.staticOf(mirror);
      const wrong =
        !pod || !isMirrorOf(mirror, pod) || mirror.metadata.deletionTimestamp !== undefined;
      if (wrong) await this.remove(mirror);
    }
    for (const pod of this.directory.all())
      if (isStaticPod(pod) && !this.directory.mirrorOf(pod)) await this.create(pod, node);
  }

  private async create(pod: Pod, node: Node): Promise<void> {
    const pods = this.client.resource(resources.pods);
    try {
      this.directory.put(await pods.create(toMirrorPod(pod, node)));
    } catch (error) {
      if (!isAlreadyExists(error)) {
        this.logger.warn('mirror pod not created', {
          pod: pod.metadata.name,
          error: String(error),
        });
        return;
      }
      // A leftover of another node object or of an older manifest, which the watch may not have shown yet.
      const found = await pods.get(keyOf(pod)).catch(() => undefined);
      if (!found) return;
      this.directory.put(found);
    }
    this.onMirror(pod);
  }

  private async remove(mirror: Pod): Promise<void> {
    const uid = mirror.metadata.uid ?? '';
    try {
      await this.client
        .resource(resources.pods)
        .delete(keyOf(mirror), { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) {
        this.logger.warn('mirror pod not deleted', {
          pod: mirror.metadata.name,
          error: String(error),
        });
        return;
      }
    }
    this.directory.remove(mirror);
  }
}
