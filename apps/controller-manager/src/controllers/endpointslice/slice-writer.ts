import { isNotFound, keyOf } from '@orrery/apimachinery';
import type { EndpointSlice } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { allOrFirstFailure } from '@orrery/controller';
import type { IndexFunction } from '@orrery/informers';
import { MANAGED_BY, SERVICE_NAME } from './slice-packing.js';
import type { SlicePlan } from './slice-packing.js';

/** Carries a plan out; a slice that is gone already is a success. `finish` has the last word on what is written. */
export async function writeSlices(
  client: ResourceClient<EndpointSlice>,
  plan: SlicePlan,
  finish: (slice: EndpointSlice) => EndpointSlice = (slice) => slice,
): Promise<void> {
  const remove = async (slice: EndpointSlice): Promise<void> => {
    try {
      await client.delete(keyOf(slice));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  await allOrFirstFailure([
    ...plan.create.map((slice) => client.create(finish(slice))),
    ...plan.update.map((slice) => client.update(finish(slice))),
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
