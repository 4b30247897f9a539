import type {
  Device,
  DeviceRequestAllocationResult,
  ResourceClaim,
  ResourceSlice,
} from '@orrery/api';
import { toleratesDeviceTaint } from '@orrery/controller';

/** When a pod has to give its devices up: ms since the epoch, or never. */
export type Departure = number | 'never';

interface PoolPlace {
  readonly driver: string;
  readonly pool: string;
}

export const poolKey = ({ driver, pool }: PoolPlace): string => `${driver}/${pool}`;

export const resultsOf = ({ status }: ResourceClaim): readonly DeviceRequestAllocationResult[] =>
  status?.allocation?.devices?.results ?? [];

/** A device as the newest generation of its pool shows it. */
export function findDevice(slices: readonly ResourceSlice[], name: string): Device | undefined {
  const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation));
  return slices
    .filter(({ spec }) => spec.pool.generation === newest)
    .flatMap(({ spec }) => spec.devices ?? [])
    .find((device) => device.name === name);
}

/**
 * Pure: at once for a NoExecute taint that the request does not tolerate, else after the shortest tolerationSeconds of
 * the tolerations in use. Taints without timeAdded count from `seenAt` (k8s pkg/controller/devicetainteviction).
 */
export function departureOf(
  { tolerations = [] }: DeviceRequestAllocationResult,
  { taints = [] }: Device,
  seenAt: number,
): Departure {
  let earliest: Departure = 'never';
  for (const taint of taints.filter(({ effect }) => effect === 'NoExecute')) {
    const since = taint.timeAdded ? Date.parse(taint.timeAdded) : seenAt;
    const used = tolerations.filter((each) => toleratesDeviceTaint(each, taint));
    const seconds = used.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
    if (used.length > 0 && seconds.length === 0) continue;
    const leave = since + Math.max(Math.min(...seconds, Infinity), 0) * 1000;
    const departure = used.length === 0 ? since : leave;
    earliest = earliest === 'never' ? departure : Math.min(earliest, departure);
  }
  return earliest;
}
