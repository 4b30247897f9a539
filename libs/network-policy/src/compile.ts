import type { Namespace, NetworkPolicy, Node, Pod } from '@orrery/api';
import type { LabelSelectorMatcher, LabelSelectorObject } from '@orrery/apimachinery';
import { everything, labelSelectorMatcher } from '@orrery/apimachinery';
import { isInBlocks } from './blocks.js';
import type { AddressBlock, FlowRule, PodIsolation, PolicySet, PortRange } from './policy-set.js';

/** What policies are computed from. */
export interface PolicyInput {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly nodes?: readonly Node[];
}

type Spec = NonNullable<NetworkPolicy['spec']>;
type Port = NonNullable<NonNullable<NonNullable<Spec['ingress']>[number]['ports']>[number]>;
type Peer = NonNullable<NonNullable<Spec['ingress']>[number]['from']>[number];
type Direction = 'Ingress' | 'Egress';

interface Target {
  readonly pod: Pod;
  readonly addresses: readonly string[];
}

const matcher = (selector: LabelSelectorObject | undefined): LabelSelectorMatcher =>
  selector ? labelSelectorMatcher(selector) : everything;

const namespaceOf = (object: { metadata: { namespace?: string } }): string =>
  object.metadata.namespace ?? '';

/** Pods that have addresses of their own and have not ended: others have no traffic that a policy could concern. */
function targets(pods: readonly Pod[]): Target[] {
  return pods.flatMap((pod) => {
    const { phase, podIP, podIPs } = pod.status ?? {};
    if (pod.spec?.hostNetwork === true || phase === 'Succeeded' || phase === 'Failed') return [];
    const addresses = (podIPs ?? []).flatMap(({ ip }) => ip ?? []);
    if (addresses.length === 0 && podIP) addresses.push(podIP);
    return addresses.length > 0 ? [{ pod, addresses }] : [];
  });
}

/** As the API server defaults them (k8s pkg/apis/networking/v1/defaults.go:SetDefaults_NetworkPolicy). */
const isolates = ({ policyTypes, egress }: Spec, direction: Direction): boolean =>
  policyTypes && policyTypes.length > 0
    ? policyTypes.includes(direction)
    : direction === 'Ingress' || (egress?.length ?? 0) > 0;

/** A named port of a pod; undefined when it has none of that name and protocol. */
function namedPort({ pod }: Target, name: string, protocol: string): number | undefined {
  const sidecars = pod.spec?.initContainers?.filter((one) => one.restartPolicy === 'Always') ?? [];
  return [...(pod.spec?.containers ?? []), ...sidecars]
    .flatMap(({ ports }) => ports ?? [])
    .find((port) => port.name === name && (port.protocol ?? 'TCP') === protocol)?.containerPort;
}

/** The ports of a rule for traffic to `destination`; undefined = every port, none when no named port is found. */
function resolvePorts(
  ports: readonly Port[] | undefined,
  destination: Target | undefined,
): readonly PortRange[] | undefined {
  if (!ports || ports.length === 0) return undefined;
  return ports.flatMap((port): PortRange[] => {
    const protocol = port.protocol ?? 'TCP';
    if (port.port === undefined) return [{ protocol }];
    const from =
      typeof port.port === 'number'
        ? port.port
        : destination && namedPort(destination, port.port, protocol);
    return from === undefined ? [] : [{ protocol, from, to: port.endPort ?? from }];
  });
}

const hasNames = (ports: readonly Port[] | undefined): boolean =>
  (ports ?? []).some(({ port }) => typeof port === 'string');

/** Keeps equal rules once. */
class RuleTable {
  readonly rules: FlowRule[] = [];
  private readonly places = new Map<string, number>();

  /** Undefined for a rule that lets nothing through. */
  add(rule: FlowRule): number | undefined {
    if (rule.ports?.length === 0) return undefined;
    const isOpen = !rule.addresses && !rule.blocks;
    if (!isOpen && (rule.addresses?.length ?? 0) + (rule.blocks?.length ?? 0) === 0)
      return undefined;
    const key = JSON.stringify(rule);
    const known = this.places.get(key);
    if (known !== undefined) return known;
    this.places.set(key, this.rules.push(rule) - 1);
    return this.rules.length - 1;
  }
}

interface Peers {
  readonly pods: readonly Target[];
  readonly blocks: readonly AddressBlock[];
}

class Compiler {
  readonly table = new RuleTable();
  private readonly targets: readonly Target[];
  private readonly labels: ReadonlyMap<string, Record<string, string>>;

  constructor(private readonly input: PolicyInput) {
    this.targets = targets(input.pods);
    this.labels = new Map(
      input.namespaces.map(({ metadata }) => [metadata.name ?? '', metadata.labels ?? {}]),
    );
  }

  isolations(): PodIsolation[] {
    const byPod = new Map<Target, { ingress?: Set<number>; egress?: Set<number> }>();
    for (const policy of this.input.policies) {
      const selected = this.selectedBy(policy);
      for (const direction of ['Ingress', 'Egress'] as const) {
        if (!isolates(policy.spec, direction)) continue;
        const key = direction === 'Ingress' ? 'ingress' : 'egress';
        const rulesFor = this.rulesOf(policy, direction);
        for (const target of selected) {
          const entry = byPod.get(target) ?? {};
          byPod.set(target, entry);
          const rules = (entry[key] ??= new Set());
          for (const rule of rulesFor(target)) rules.add(rule);
        }
      }
    }
    return [...byPod].map(([{ pod, addresses }, { ingress, egress }]) => ({
      pod: `${namespaceOf(pod)}/${pod.metadata.name ?? ''}`,
      addresses,
      ...(ingress && { ingress: [...ingress] }),
      ...(egress && { egress: [...egress] }),
    }));
  }

  private selectedBy(policy: NetworkPolicy): Target[] {
    const selector = matcher(policy.spec.podSelector);
    return this.targets.filter(
      ({ pod }) =>
        namespaceOf(pod) === namespaceOf(policy) && selector.matches(pod.metadata.labels),
    );
  }

  /** The rules of one policy and direction, for each pod that it selects. */
  private rulesOf(policy: NetworkPolicy, direction: Direction): (pod: Target) => number[] {
    const rules =
      direction === 'Ingress'
        ? (policy.spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
        : (policy.spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
    const compiled = rules.map(({ peers, ports }) => {
      const found = peers && peers.length > 0 ? this.peersOf(peers, policy) : undefined;
      if (!hasNames(ports)) {
        const rule = this.add(resolvePorts(ports, undefined), found);
        return (): number[] => rule;
      }
      // A named port is one of the pod that is called: the selected one, or each of its peers.
      return direction === 'Ingress'
        ? (pod: Target): number[] => this.add(resolvePorts(ports, pod), found)
        : (
            (every) => (): number[] =>
              every
          )(this.addPerPeer(ports ?? [], found));
    });
    return (pod) => compiled.flatMap((rule) => rule(pod));
  }

  private addPerPeer(ports: readonly Port[], peers: Peers | undefined): number[] {
    const numbered = ports.filter(({ port }) => typeof port !== 'string');
    const named = ports.filter(({ port }) => typeof port === 'string');
    const chosen = new Set(peers?.pods ?? this.targets);
    return [
      ...(numbered.length > 0 ? this.add(resolvePorts(numbered, undefined), peers) : []),
      ...this.targets.flatMap((target) => {
        const addresses = chosen.has(target)
          ? target.addresses
          : target.addresses.filter((address) => isInBlocks(address, peers?.blocks ?? []));
        return this.addAddresses(resolvePorts(named, target), addresses);
      }),
    ];
  }

  private addAddresses(
    ports: readonly PortRange[] | undefined,
    addresses: readonly string[],
  ): number[] {
    const rule = this.table.add({ ...(ports && { ports }), addresses });
    return rule === undefined ? [] : [rule];
  }

  private add(ports: readonly PortRange[] | undefined, peers: Peers | undefined): number[] {
    const addresses = peers?.pods.flatMap((target) => target.addresses);
    const rule = this.table.add({
      ...(ports && { ports }),
      ...(addresses && addresses.length > 0 && { addresses: [...new Set(addresses)] }),
      ...(peers &&
        (peers.blocks.length > 0 || addresses?.length === 0) && { blocks: peers.blocks }),
    });
    return rule === undefined ? [] : [rule];
  }

  private peersOf(peers: readonly Peer[], policy: NetworkPolicy): Peers {
    const pods = new Set<Target>();
    const blocks: AddressBlock[] = [];
    for (const { ipBlock, podSelector, namespaceSelector } of peers) {
      if (ipBlock) {
        blocks.push({ cidr: ipBlock.cidr, except: ipBlock.except ?? [] });
        continue;
      }
      if (!podSelector && !namespaceSelector) continue;
      const inPod = matcher(podSelector);
      const inNamespace = namespaceSelector && matcher(namespaceSelector);
      for (const target of this.targets) {
        const namespace = namespaceOf(target.pod);
        const isThere = inNamespace
          ? this.labels.has(namespace) && inNamespace.matches(this.labels.get(namespace))
          : namespace === namespaceOf(policy);
        if (isThere && inPod.matches(target.pod.metadata.labels)) pods.add(target);
      }
    }
    return { pods: [...pods], blocks };
  }
}

/** The policies in terms of addresses. Throws SelectorError for a selector that the API server would refuse. */
export function compilePolicies(input: PolicyInput): PolicySet {
  const compiler = new Compiler(input);
  const pods = compiler.isolations();
  const nodes = (input.nodes ?? []).map(({ spec, status }) => ({
    addresses: (status?.addresses ?? []).flatMap(({ type, address }) =>
      type === 'InternalIP' ? [address] : [],
    ),
    podCidrs: spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : []),
  }));
  return { rules: compiler.table.rules, pods, nodes };
}
