import { describe, expect, it } from '@jest/globals';
import { SystemClock, silentLogger } from '@orrery/component';
import { runningOf } from '../../test/builders.js';
import type { RuntimeImage } from '../runtime/runtime.js';
import { ImageGc } from './image-gc.js';

const image = (id: string, sizeBytes: number, extra: Partial<RuntimeImage> = {}): RuntimeImage => ({
  id,
  tags: [`${id}:1`],
  digests: [],
  sizeBytes,
  ...extra,
});

function collector(images: RuntimeImage[], capacity: number, used = ['used:1']) {
  const events: string[] = [];
  const removed: string[] = [];
  const containers = used.map((imageRef) => runningOf('c', { imageRef }));
  const gc = new ImageGc({
    runtime: {
      listImages: () => Promise.resolve(images.filter(({ id }) => !removed.includes(id))),
      removeImage: (id) => {
        removed.push(id);
        return Promise.resolve();
      },
      imageBytes: () =>
        Promise.resolve(
          images
            .filter(({ id }) => !removed.includes(id))
            .reduce((sum, one) => sum + one.sizeBytes, 0),
        ),
    },
    cache: { all: () => [{ uid: 'u', namespace: 'd', name: 'p', sandboxes: [], containers }] },
    clock: new SystemClock(),
    logger: silentLogger,
    highPercent: 80,
    lowPercent: 50,
    minimumAgeMs: 0,
    maximumAgeMs: 0,
    capacity: () => capacity,
    nodeEvent: (reason) => events.push(reason),
  });
  return { gc, removed, events };
}

describe(ImageGc.name, () => {
  it('keeps all images while there is room', async () => {
    const { gc, removed } = collector([image('used', 50), image('idle', 20)], 100);
    await gc.collect();
    expect(removed).toEqual([]);
  });

  it('removes unused ones until the low mark, never those in use or pinned', async () => {
    const images = [
      image('used', 30),
      image('pinned', 20, { pinned: true }),
      image('a', 40),
      image('b', 5),
    ];
    const { gc, removed, events } = collector(images, 100);
    await gc.collect();
    expect([removed, events]).toEqual([['a', 'b'], []]);
  });

  it('says when there is not enough to remove', async () => {
    const { gc, removed, events } = collector([image('used', 90), image('a', 5)], 100);
    await gc.collect();
    expect([removed, events]).toEqual([['a'], ['FreeDiskSpaceFailed']]);
  });

  it('removes every unused one when the disk is short', async () => {
    const { gc, removed } = collector([image('used', 1), image('a', 1)], 1000);
    await gc.collectAll();
    expect(removed).toEqual(['a']);
  });
});
