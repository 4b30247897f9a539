import type { Clock, Logger } from '@orrery/component';
import type { PodCache } from '../pleg/pod-cache.js';
import type { Runtime, RuntimeImage } from '../runtime/runtime.js';

export interface ImageGcParts {
  readonly runtime: Pick<Runtime, 'listImages' | 'removeImage' | 'imageBytes'>;
  readonly cache: Pick<PodCache, 'all'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly highPercent: number;
  readonly lowPercent: number;
  readonly minimumAgeMs: number;
  /** 0 = images are kept however old. */
  readonly maximumAgeMs: number;
  capacity(): number;
  nodeEvent(reason: string, message: string): void;
  /** An image was removed, for its age or because the disk is short. */
  removed?(reason: 'age' | 'space'): void;
}

/** k8s pkg/kubelet/kubelet.go:ImageGCPeriod. */
const PERIOD_MS = 300_000;

interface Seen {
  readonly firstMs: number;
  lastUsedMs: number;
}

/**
 * Removes images that no container uses, the longest unused first, once images fill more of the disk than allowed
 * (k8s pkg/kubelet/images/image_gc_manager.go).
 */
export class ImageGc {
  private readonly seen = new Map<string, Seen>();

  constructor(private readonly parts: ImageGcParts) {}

  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.collect().catch((error: unknown) => {
        this.parts.logger.warn('images not collected', { error: String(error) });
      });
      await this.parts.clock.sleep(PERIOD_MS, signal).catch(() => undefined);
    }
  }

  /** One round by the thresholds. */
  async collect(): Promise<void> {
    await this.removeOld(await this.unused());
    const unused = await this.unused();
    const capacity = this.parts.capacity();
    const used = await this.parts.runtime.imageBytes();
    const percent = capacity > 0 ? Math.floor((used * 100) / capacity) : 0;
    if (percent < this.parts.highPercent) return;
    const wanted = used - Math.floor((capacity * this.parts.lowPercent) / 100);
    const freed = await this.free(unused, wanted);
    if (freed < wanted)
      this.parts.nodeEvent(
        'FreeDiskSpaceFailed',
        `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`,
      );
  }

  /** All that nothing uses, whatever the thresholds: the disk is short. */
  async collectAll(): Promise<void> {
    await this.free(await this.unused(), Infinity);
  }

  private async removeOld(unused: readonly RuntimeImage[]): Promise<void> {
    const { maximumAgeMs, clock } = this.parts;
    if (maximumAgeMs === 0) return;
    const now = clock.now();
    for (const image of unused)
      if (now - (this.seen.get(image.id)?.lastUsedMs ?? now) >= maximumAgeMs) {
        await this.parts.runtime.removeImage(image.id);
        this.parts.removed?.('age');
      }
  }

  private async free(unused: readonly RuntimeImage[], wanted: number): Promise<number> {
    const now = this.parts.clock.now();
    let freed = 0;
    for (const image of unused) {
      if (freed >= wanted) break;
      const first = this.seen.get(image.id)?.firstMs ?? now;
      if (now - first < this.parts.minimumAgeMs) continue;
      await this.parts.runtime.removeImage(image.id);
      this.parts.removed?.('space');
      this.parts.logger.info('image removed', { image: image.tags[0] ?? image.id });
      freed += image.sizeBytes;
    }
    return freed;
  }

  /** The longest unused first. */
  private async unused(): Promise<RuntimeImage[]> {
    const now = this.parts.clock.now();
    const images = await this.parts.runtime.listImages();
    const used = new Set(
      this.parts.cache
        .all()
        .flatMap((pod) =>
          pod.containers.flatMap((one) => [
            one.imageRef,
            one.imageId,
            ...one.mounts.map(({ image }) => image?.ref),
          ]),
        ),
    );
    const isUsed = (image: RuntimeImage): boolean =>
      [image.id, ...image.tags, ...image.digests].some((name) => used.has(name));
    for (const image of images) {
      const known = this.seen.get(image.id) ?? { firstMs: now, lastUsedMs: now };
      if (isUsed(image)) known.lastUsedMs = now;
      this.seen.set(image.id, known);
    }
    for (const id of this.seen.keys())
      if (!images.some((image) => image.id === id)) this.seen.delete(id);
    const lastUse = (image: RuntimeImage): number => this.seen.get(image.id)?.lastUsedMs ?? 0;
    return images
      .filter((image) => !isUsed(image) && !image.pinned)
      .toSorted((a, b) => lastUse(a) - lastUse(b));
  }
}
