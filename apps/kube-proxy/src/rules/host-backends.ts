import { resources } from '@orrery/api';
import type { EndpointSlice, Pod } from '@orrery/api';
import type { HostBackend } from '@orrery/dataplane';
import { AddressRange, DialGuard, backendKey } from '@orrery/dataplane';
import type { InformerFactory, InformerScope } from '@orrery/informers';
import type { HostOf, NamedEndpoint } from './endpoint-selection.js';

/** The pods that have their node's address. */
export const HOST_PODS: InformerScope = { fieldSelector: 'spec.hostNetwork=true' };

const API_PORT = 6443;
const PATIENCE_MS = 5_000;
/** What the dataplane refuses at any node. */
const NODES = new DialGuard([], ['0.0.0.0/0', '::/0']);

/**
 * Ports that a pod of the host network says it has. One that says nothing of a protocol may have any of them: declaring
 * ports is information only.
 */
function hasPort({ spec }: Pod, port: number, protocol: string): boolean {
  const sidecars = (spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
  const declared = [...spec.containers, ...sidecars]
    .flatMap(({ ports = [] }) => ports)
    .filter((one) => (one.protocol ?? 'TCP') === protocol);
  return declared.length === 0 || declared.some(({ containerPort }) => containerPort === port);
}

const isSame = (one: string, other: string): boolean =>
  one === other || (AddressRange.parse(one)?.contains(other) ?? false);

/**
 * Whether the pod that an endpoint names is in the host network of the node at that address. The address of a pod is what
 * its kubelet says; whoever writes endpoints can only name a pod of their own namespace.
 */
function isAt(pod: Pod, { slice, endpoint, address }: NamedEndpoint): boolean {
  const { targetRef } = endpoint;
  const { hostNetwork, nodeName } = pod.spec;
  const own = pod.status?.podIPs ?? [];
  return (
    pod.metadata.namespace === slice.metadata.namespace &&
    (targetRef?.uid === undefined || targetRef.uid === pod.metadata.uid) &&
    (endpoint.nodeName === undefined || endpoint.nodeName === nodeName) &&
    hostNetwork === true &&
    own.some(({ ip }) => isSame(ip, address))
  );
}

/** What the API servers write of themselves (k8s pkg/controlplane/reconcilers). */
const isApiServers = ({ metadata: { namespace, name } }: EndpointSlice): boolean =>
  namespace === 'default' && name === 'kubernetes';

export interface HostBackendsOptions {
  readonly informers: InformerFactory;
  /** The API server's port as the kubeconfig says it. */
  readonly apiPort: number;
  /** A pod of the host network has changed that endpoints of this service name. */
  readonly changed: (service: string) => void;
}

/**
 * Knows what is at endpoints that may lie at a node's address (CVE-2021-25740): pods of the host network, which are
 * watched from the first such endpoint on, and the API servers of the `kubernetes` Service.
 */
export class HostBackends {
  /** Pods that the endpoints of each service name. */
  private readonly named = new Map<string, Set<string>>();
  private readonly refused = new Map<string, Set<string>>();
  private podRanges = new DialGuard([]);
  private hasRanges = false;
  private isWatching = false;

  constructor(private readonly options: HostBackendsOptions) {}

  /** The pods' ranges: at an address inside nothing needs to be known. */
  setPodRanges(cidrs: readonly string[]): void {
    this.podRanges = new DialGuard(cidrs);
    this.hasRanges = cidrs.length > 0;
  }

  /** For the endpoints of one service as they are now. */
  of(service: string): HostOf {
    this.named.delete(service);
    this.refused.delete(service);
    return (named) => this.find(service, named);
  }

  /** Endpoints of a service that are not dialled, as of the last look, for its owner. */
  refusals(service: string): readonly string[] {
    return [...(this.refused.get(service) ?? [])];
  }

  /** Calls back when the pods are known, if any need be, at once where they are. */
  whenKnown(known: () => void): void {
    if (!this.isWatching) {
      known();
      return;
    }
    const { informers } = this.options;
    const pods = informers.informer(resources.pods, HOST_PODS);
    // Where they may not be read, everything else is served.
    pods.waitForSync(AbortSignal.timeout(PATIENCE_MS)).then(known, known);
  }

  private find(service: string, named: NamedEndpoint): HostBackend | undefined {
    const { slice, endpoint, address, port } = named;
    const { apiPort } = this.options;
    if (
      service === 'default/kubernetes' &&
      isApiServers(slice) &&
      [API_PORT, apiPort].includes(port)
    )
      return 'apiServer';
    if (this.podRanges.allows({ address, port })) return undefined;
    const { kind, name } = endpoint.targetRef ?? {};
    if (kind === 'Pod' && name) return this.findPod(service, named, name);
    // Without ranges every address may be one of the pods'.
    if (this.hasRanges) this.refuse(service, named);
    return undefined;
  }

  private findPod(service: string, named: NamedEndpoint, name: string): HostBackend | undefined {
    this.watch();
    const { namespace = '' } = named.slice.metadata;
    const pods = this.named.get(service) ?? new Set();
    this.named.set(service, pods.add(`${namespace}/${name}`));
    const { lister } = this.options.informers.informer(resources.pods, HOST_PODS);
    const pod = lister.get({ namespace, name });
    if (!pod || !isAt(pod, named)) return undefined;
    const { address, port, protocol } = named;
    if (hasPort(pod, port, protocol) && NODES.allows({ address, port, host: 'pod' })) return 'pod';
    this.refuse(service, named);
    return undefined;
  }

  private refuse(service: string, { address, port }: NamedEndpoint): void {
    const refused = this.refused.get(service) ?? new Set();
    this.refused.set(service, refused.add(backendKey({ address, port })));
  }

  private watch(): void {
    if (this.isWatching) return;
    this.isWatching = true;
    const seen = ({ metadata: { namespace = '', name = '' } }: Pod): void => {
      const key = `${namespace}/${name}`;
      // Each look at a service writes into the map.
      const services = [...this.named.keys()].filter((one) => this.named.get(one)?.has(key));
      services.forEach(this.options.changed);
    };
    const addresses = ({ status }: Pod): string => JSON.stringify(status?.podIPs);
    this.options.informers.informer(resources.pods, HOST_PODS).addHandler({
      onAdd: seen,
      onUpdate: (pod, old) => {
        if (addresses(pod) !== addresses(old)) seen(pod);
      },
      onDelete: seen,
    });
  }
}
