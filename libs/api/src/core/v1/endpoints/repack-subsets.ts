import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../../types.js';
import { list } from '../../../meta/list.js';

const addressKey = ({ ip, targetRef }: EndpointAddress): string => `${ip} ${targetRef?.uid ?? ''}`;
const portKey = ({ name, port, protocol, appProtocol }: EndpointPort): string =>
  JSON.stringify([name, port, protocol, appProtocol]);

/** The addresses of one port: true = ready. An address that is both is not ready. */
type Readiness = Map<string, boolean>;

const note = (readiness: Readiness, key: string, isReady: boolean): void => {
  readiness.set(key, isReady && (readiness.get(key) ?? true));
};

const addressesOf = (
  subset: EndpointSubset,
): { readonly address: EndpointAddress; readonly isReady: boolean }[] => [
  ...list(subset.addresses).map((address) => ({ address, isReady: true })),
  ...list(subset.notReadyAddresses).map((address) => ({ address, isReady: false })),
];

/**
 * Each address once for each port, ports with the same addresses in one subset
 * (k8s pkg/api/v1/endpoints/util.go:RepackSubsets). The order is that of first mention, so what is packed stays as it is.
 */
export function repackSubsets(subsets: readonly EndpointSubset[] | undefined): EndpointSubset[] {
  const addresses = new Map<string, EndpointAddress>();
  const byPort = new Map<string, { port: EndpointPort | undefined; readiness: Readiness }>();
  for (const { ports, ...subset } of list(subsets)) {
    const named = list(ports).length > 0 ? list(ports) : [undefined];
    for (const port of named) {
      const key = port ? portKey(port) : '';
      const { readiness } = byPort.get(key) ?? { readiness: new Map<string, boolean>() };
      byPort.set(key, { port, readiness });
      for (const { address, isReady } of addressesOf(subset)) {
        const id = addressKey(address);
        if (!addresses.has(id)) addresses.set(id, address);
        note(readiness, id, isReady);
      }
    }
  }
  const packed = new Map<string, { ports: EndpointPort[]; readiness: Readiness }>();
  for (const { port, readiness } of byPort.values()) {
    const key = JSON.stringify([...readiness].sort(([a], [b]) => (a < b ? -1 : 1)));
    const subset = packed.get(key) ?? { ports: [], readiness };
    if (port) subset.ports.push(port);
    packed.set(key, subset);
  }
  return Array.from(packed.values(), ({ ports, readiness }) => {
    const of = (isReady: boolean): EndpointAddress[] =>
      [...readiness].flatMap(([key, ready]) => {
        const address = addresses.get(key);
        return ready === isReady && address ? [address] : [];
      });
    const [ready, notReady] = [of(true), of(false)];
    return {
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    };
  });
}
