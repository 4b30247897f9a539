import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { PersistentVolume, Pod } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Lister } from '@orrery/informers';
import { recyclerKey, recyclerPod, recyclingOf } from './recycler-pod.js';

export type Recycled =
  | { readonly result: 'under-way' }
  | { readonly result: 'done' }
  | { readonly result: 'failed'; readonly message: string };

const underWay: Recycled = { result: 'under-way' };

/** Empties volumes with pods, one step at a time. A pod that ended is gone before its result is told. */
export class Recycler {
  constructor(
    private readonly pods: Lister<Pod>,
    private readonly client: ResourceClient<Pod>,
  ) {}

  async step(volume: PersistentVolume): Promise<Recycled> {
    const key = recyclerKey(volume);
    const recycling = recyclingOf(volume, this.pods.get(key));
    switch (recycling.step) {
      case 'begin':
        await this.#begin(volume);
        return underWay;
      case 'wait':
        return underWay;
      case 'clear':
        await this.#remove(volume);
        return underWay;
      case 'done':
        await this.#remove(volume);
        return { result: 'done' };
      case 'failed':
        await this.#remove(volume);
        return { result: 'failed', message: recycling.message };
    }
  }

  async #begin(volume: PersistentVolume): Promise<void> {
    try {
      await this.client.create(recyclerPod(volume));
    } catch (error) {
      // Made by an earlier try; the watch will show it.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async #remove(volume: PersistentVolume): Promise<void> {
    try {
      await this.client.delete(recyclerKey(volume));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
