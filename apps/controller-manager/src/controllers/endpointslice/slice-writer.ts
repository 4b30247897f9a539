import { isNotFound, keyOf } from '@orrery/apimachinery';
import type { EndpointSlice } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { allOrFirstFailure } from '@orrery/controller';
import type { IndexFunction } from '@orrery/informers';
import { MANAGED_BY, SERVICE_NAME } from './slice-packing.js';
import type { SlicePlan } from './slice-packing.js';

export interface WriteOptions {
  /** Has the last word on what is written. */
  readonly finish?: (slice: EndpointSlice) => EndpointSlice;
  /** Told of each write that was made. */
  readonly written: (operation: 'create' | 'update' | 'delete') => void;
}

/** Carries a plan out; a slice that is gone already is a success. */
export async function writeSlices(
  client: ResourceClient<EndpointSlice>,
  plan: SlicePlan,
  { finish = (slice) => slice, written }: WriteOptions,
): Promise<void> {
  const remove = async (slice: EndpointSlice): Promise<void> => {
    try {
      await client.delete(keyOf(slice));
      written('delete');
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  await allOrFirstFailure([
    ...plan.create.map(async (slice) => {
      await client.create(finish(slice));
      written('create');
    }),
    ...plan.update.map(async (slice) => {
      await client.update(finish(slice));
      written('update');
    }),
    ...plan.remove.map(remove),
  ]);
}

/** The Service of a slice, if `manager` made it. */
export const serviceOfSlice = (slice: EndpointSlice, manager: string): string | undefined =>
  slice.metadata.labels?.[MANAGED_BY] === manager ? slice.metadata.labels[SERVICE_NAME] : undefined;

/** Index of slices by `manager:namespace/service`. */
export const BY_SERVICE = 'service';

export const bySliceService: IndexFunction<EndpointSlice> = ({ metadata }) => {
  const { [MANAGED_BY]: manager, [SERVICE_NAME]: name } = metadata.labels ?? {};
  return manager && name ? [`${manager}:${metadata.namespace ?? ''}/${name}`] : [];
};
