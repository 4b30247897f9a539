import type { Endpoint, EndpointSlice } from '@orrery/api';
import type { Backend } from '@orrery/dataplane';
import { backendKey } from '@orrery/dataplane';

export interface SelectionOptions {
  /** Name of the service port; slices carry the pod's port under it. */
  readonly portName: string;
  readonly protocol: string;
  /** Only endpoints of this node (traffic policy Local); absent = all. */
  readonly onlyNode?: string;
}

interface Candidate extends Backend {
  readonly ready: boolean;
  readonly serving: boolean;
}

function toCandidate(endpoint: Endpoint, port: number): Candidate[] {
  const { conditions = {} } = endpoint;
  const terminating = conditions.terminating === true;
  const ready = conditions.ready !== false && !terminating;
  const serving = conditions.serving ?? conditions.ready !== false;
  return endpoint.addresses.map((address) => ({ address, port, weight: 1, ready, serving }));
}

const byAddress = (a: Backend, b: Backend): number => {
  const left = backendKey(a);
  const right = backendKey(b);
  return left < right ? -1 : left > right ? 1 : 0;
};

/**
 * The endpoints that may be chosen now: the ready ones, or, when there are none, those that are terminating but still
 * serve (k8s pkg/proxy/topology.go:CategorizeEndpoints). Each address once, in a stable order.
 */
export function selectBackends(
  slices: readonly EndpointSlice[],
  options: SelectionOptions,
): readonly Backend[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const port = slice.ports?.find(
      (p) => (p.name ?? '') === options.portName && (p.protocol ?? 'TCP') === options.protocol,
    )?.port;
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (options.onlyNode !== undefined && endpoint.nodeName !== options.onlyNode) continue;
      for (const candidate of toCandidate(endpoint, port))
        found.set(backendKey(candidate), candidate);
    }
  }
  const all = [...found.values()].sort(byAddress);
  const ready = all.filter((candidate) => candidate.ready);
  const usable = ready.length > 0 ? ready : all.filter((candidate) => candidate.serving);
  return usable.map(({ address, port, weight }) => ({ address, port, weight }));
}
