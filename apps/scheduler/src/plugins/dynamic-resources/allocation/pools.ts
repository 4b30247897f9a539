import { nodeMatchesSelector } from '@orrery/controller';
import type { Device, Node, NodeSelector, ResourceSlice } from '@orrery/api';
import { deviceId } from '../../../cache/device-id.js';
import { toNanos } from '../../../cache/taken-devices.js';

/** A device that can be reached from the node. */
export interface Candidate {
  readonly id: string;
  readonly driver: string;
  readonly pool: Pool;
  readonly slice: ResourceSlice;
  readonly device: Device;
}

/** Amounts by name of the counter, by name of the set; in nanos. */
export type Counters = ReadonlyMap<string, ReadonlyMap<string, bigint>>;

/** The newest generation of a pool, as far as it concerns one node. */
export interface Pool {
  readonly driver: string;
  readonly name: string;
  /** Slices are missing: the driver is about to publish them. */
  readonly incomplete: boolean;
  /** Slices contradict each other; nothing is allocated from it. */
  readonly invalid: boolean;
  /** In the order in which they are tried. */
  readonly candidates: readonly Candidate[];
  /** Every device of the pool, those of other nodes too: they may take from the same counters. */
  readonly devices: readonly Device[];
  readonly counters: Counters;
}

interface Reach {
  readonly nodeName?: string | undefined;
  readonly allNodes?: boolean | undefined;
  readonly nodeSelector?: NodeSelector | undefined;
}

function reaches({ nodeName, allNodes, nodeSelector }: Reach, node: Node): boolean {
  if (nodeName) return node.metadata.name === nodeName;
  if (allNodes) return true;
  return nodeSelector !== undefined && nodeMatchesSelector(nodeSelector, node);
}

const devicesOf = ({ spec }: ResourceSlice): readonly Device[] => spec.devices ?? [];

const hasCounters = ({ spec }: ResourceSlice): boolean => (spec.sharedCounters ?? []).length > 0;

/** Whether the node needs the slice to use its pool. */
function concerns(slice: ResourceSlice, node: Node): boolean {
  if (hasCounters(slice)) return true;
  if (slice.spec.perDeviceNodeSelection)
    return devicesOf(slice).some((device) => reaches(device, node));
  return reaches(slice.spec, node);
}

const poolKey = ({ spec }: ResourceSlice): string => `${spec.driver}/${spec.pool.name}`;

const compareNames = (a: string | undefined, b: string | undefined): number =>
  (a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0;

/** Undefined when two sets have one name. */
function countersOf(slices: readonly ResourceSlice[]): Counters | undefined {
  const sets = new Map<string, ReadonlyMap<string, bigint>>();
  for (const { name, counters } of slices.flatMap(({ spec }) => spec.sharedCounters ?? [])) {
    if (sets.has(name)) return undefined;
    const amounts = Object.entries(counters).map(([key, { value }]) => [key, toNanos(value)]);
    sets.set(name, new Map(amounts as [string, bigint][]));
  }
  return sets;
}

const areKnown = (devices: readonly Device[], counters: Counters): boolean =>
  devices.every(({ consumesCounters = [] }) =>
    consumesCounters.every(({ counterSet, counters: own }) =>
      Object.keys(own).every((name) => counters.get(counterSet)?.has(name)),
    ),
  );

const hasTwins = (devices: readonly Device[]): boolean =>
  new Set(devices.map(({ name }) => name)).size < devices.length;

interface PoolSlices {
  readonly driver: string;
  readonly name: string;
  readonly all: readonly ResourceSlice[];
  readonly near: readonly ResourceSlice[];
}

function toPool({ driver, name, all, near }: PoolSlices, node: Node): Pool {
  const sorted = near
    .filter((slice) => !hasCounters(slice))
    .sort((a, b) => compareNames(a.metadata.name, b.metadata.name));
  const devices = all.flatMap(devicesOf);
  const counters = countersOf(all);
  const nearDevices = sorted.flatMap(devicesOf);
  const candidates: Candidate[] = [];
  const pool = {
    driver,
    name,
    incomplete: all.length !== all[0]?.spec.pool.resourceSliceCount,
    invalid: !counters || hasTwins(nearDevices) || !areKnown(devices, counters),
    candidates,
    devices,
    counters: counters ?? new Map(),
  };
  for (const slice of sorted)
    for (const device of devicesOf(slice)) {
      if (slice.spec.perDeviceNodeSelection && !reaches(device, node)) continue;
      const id = deviceId({ driver, pool: name, device: device.name });
      candidates.push({ id, driver, pool, slice, device });
    }
  return pool;
}

const waits = ({ candidates }: Pool): boolean =>
  candidates.some(({ device }) => (device.bindingConditions ?? []).length > 0);

/**
 * The pools of devices that the node can reach, in the order in which they are tried: by driver and name, those whose
 * devices have to be bound first at the end. Of a pool only the newest generation counts, wherever its slices are
 * (k8s structured/internal/incubating/pools_incubating.go:GatherPools).
 */
export function gatherPools(slices: readonly ResourceSlice[], node: Node): Pool[] {
  const byPool = new Map<string, ResourceSlice[]>();
  for (const slice of slices) {
    const key = poolKey(slice);
    byPool.set(key, [...(byPool.get(key) ?? []), slice]);
  }
  const pools: Pool[] = [];
  for (const known of byPool.values()) {
    const newest = Math.max(...known.map(({ spec }) => spec.pool.generation));
    const all = known.filter(({ spec }) => spec.pool.generation === newest);
    const near = all.filter((slice) => concerns(slice, node));
    const [first] = near;
    if (!first) continue;
    const { driver, pool } = first.spec;
    pools.push(toPool({ driver, name: pool.name, all, near }, node));
  }
  pools.sort((a, b) => compareNames(a.driver, b.driver) || compareNames(a.name, b.name));
  return [...pools.filter((pool) => !waits(pool)), ...pools.filter(waits)];
}
