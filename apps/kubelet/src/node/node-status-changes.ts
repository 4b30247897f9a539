import { isDeepStrictEqual } from 'node:util';
import type { NodeCondition, NodeStatus } from '@orrery/api';
import { canonicalQuantity } from '@orrery/apimachinery';

type Amounts = NodeStatus['capacity'];

const withoutHeartbeat = (conditions: readonly NodeCondition[] = []): unknown[] =>
  conditions
    .map((one) => ({ ...one, lastHeartbeatTime: undefined }))
    .toSorted((a, b) => (a.type < b.type ? -1 : 1));

/** A server shows 33554432Ki as 32Gi: taken for a change, that would be written again at every look. */
function sameAmounts(old: Amounts = {}, fresh: Amounts = {}): boolean {
  const names = Object.keys(fresh);
  return (
    names.length === Object.keys(old).length &&
    names.every((name) => {
      const [a, b] = [old[name], fresh[name]];
      return a === b || (a !== undefined && canonicalQuantity(a) === canonicalQuantity(b ?? '0'));
    })
  );
}

const PLAIN = [
  'nodeInfo',
  'addresses',
  'daemonEndpoints',
  'declaredFeatures',
  'runtimeHandlers',
  'features',
  'images',
] as const;

/** A list of nothing is not written. */
const given = <T>(value: T): T | undefined =>
  Array.isArray(value) && value.length === 0 ? undefined : value;

/** Conditions of other writers and times of heartbeats do not count (k8s pkg/kubelet/kubelet_node_status.go:nodeStatusHasChanged). */
export function sameNodeStatus(old: NodeStatus, fresh: NodeStatus): boolean {
  const types = new Set((fresh.conditions ?? []).map((one) => one.type));
  const own = (old.conditions ?? []).filter((one) => types.has(one.type));
  return (
    isDeepStrictEqual(withoutHeartbeat(own), withoutHeartbeat(fresh.conditions)) &&
    sameAmounts(old.capacity, fresh.capacity) &&
    sameAmounts(old.allocatable, fresh.allocatable) &&
    PLAIN.every((field) => isDeepStrictEqual(given(old[field]), given(fresh[field])))
  );
}

/** Addresses merge by type, so they are replaced as a whole when they differ; what may not be given any more is taken out. */
export function statusPatch(old: NodeStatus, fresh: NodeStatus): Record<string, unknown> {
  const { addresses = [], ...others } = fresh;
  const gone = Object.keys(old.allocatable ?? {}).filter((name) => !fresh.allocatable?.[name]);
  const allocatable = {
    ...fresh.allocatable,
    ...Object.fromEntries(gone.map((name) => [name, null])),
  };
  const rest = { ...others, allocatable };
  return isDeepStrictEqual(old.addresses, addresses)
    ? { ...rest }
    : { ...rest, addresses: [...addresses, { $patch: 'replace' }] };
}
