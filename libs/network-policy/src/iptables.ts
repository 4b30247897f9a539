import { createHash } from 'node:crypto';
import { Block, parseAddress } from './address.js';
import { cidrsOf } from './blocks.js';
import type { FlowRule, PodIsolation, PolicySet, PortRange } from './policy-set.js';
import { SERVICE_CHAIN, renderServiceFilter } from './service-filter.js';
import type { ServiceFrontend } from './service-filter.js';

/** The chain that the caller jumps to from FORWARD, before anything else. */
export const POLICY_CHAIN = 'ORRERY-POLICY';

export interface FilterOptions {
  readonly family: 4 | 6;
  /** The pod ranges of the node whose rules these are: each pod is guarded on its own node. */
  readonly podCidrs: readonly string[];
  /** Addresses of Services that this node serves. */
  readonly services?: readonly ServiceFrontend[];
}

/** Addresses of a range that its node itself has: the tunnel's and the bridge's. */
const NODE_ADDRESSES_IN_RANGE = 2;

const chainOf = (direction: 'IN' | 'OUT', pod: string): string =>
  `ORRERY-${direction}-${createHash('sha256').update(pod).digest('hex').slice(0, 16)}`;

const ofFamily =
  (family: 4 | 6) =>
  (address: string): boolean =>
    parseAddress(address)?.family === family;

/** `-s X` or `-d X` for each peer; one empty text when anyone may be the peer. */
function peerMatches(rule: FlowRule, flag: '-s' | '-d', family: 4 | 6): readonly string[] {
  if (!rule.addresses && !rule.blocks) return [''];
  return [
    ...(rule.addresses ?? []).filter(ofFamily(family)),
    ...(rule.blocks ?? []).flatMap((block) => cidrsOf(block, family)),
  ].map((peer) => `${flag} ${peer} `);
}

function portMatch({ protocol, from, to }: PortRange): string {
  const name = protocol.toLowerCase();
  if (from === undefined) return `-p ${name} `;
  const range = to === undefined || to === from ? String(from) : `${from}:${to}`;
  return `-p ${name} -m ${name} --dport ${range} `;
}

/** A chain whose RETURN means that this direction lets the packet pass. */
function podChain(
  chain: string,
  rules: readonly FlowRule[],
  flag: '-s' | '-d',
  family: 4 | 6,
): string[] {
  const lines = rules.flatMap((rule) => {
    const ports = rule.ports?.map(portMatch) ?? [''];
    return peerMatches(rule, flag, family).flatMap((peer) =>
      ports.map((port) => `-A ${chain} ${peer}${port}-j RETURN`),
    );
  });
  return [...lines, `-A ${chain} -j DROP`];
}

interface Chains {
  readonly heads: string[];
  readonly jumps: string[];
  readonly bodies: string[];
}

function addPod(chains: Chains, pod: PodIsolation, set: PolicySet, options: FilterOptions): void {
  const ranges = options.podCidrs.flatMap((cidr) => Block.parse(cidr) ?? []);
  const local = pod.addresses.filter((text) => {
    const address = parseAddress(text);
    return address?.family === options.family && ranges.some((range) => range.contains(address));
  });
  const rulesAt = (places: readonly number[]): FlowRule[] =>
    places.flatMap((place) => set.rules[place] ?? []);
  for (const [direction, places, own, peer] of [
    ['OUT', pod.egress, '-s', '-d'],
    ['IN', pod.ingress, '-d', '-s'],
  ] as const) {
    if (!places || local.length === 0) continue;
    const chain = chainOf(direction, pod.pod);
    chains.heads.push(`:${chain} - [0:0]`);
    for (const address of local)
      chains.jumps.push(
        `-A ${POLICY_CHAIN} ${own} ${address} -m comment --comment "${pod.pod}" -j ${chain}`,
      );
    chains.bodies.push(...podChain(chain, rulesAt(places), peer, options.family));
  }
}

/**
 * The filter table's chains for one node's pods, as input of `iptables-restore --noflush`. What nodes send by themselves
 * passes: relayed Service traffic, whose client the relay has judged already.
 */
export function renderPolicyFilter(set: PolicySet, options: FilterOptions): string {
  const { family } = options;
  const chains: Chains = { heads: [], jumps: [], bodies: [] };
  for (const pod of set.pods) addPod(chains, pod, set, options);
  const nodes = set.nodes.flatMap(({ addresses, podCidrs }) => [
    ...addresses,
    ...podCidrs.flatMap((cidr) => Block.parse(cidr)?.first(NODE_ADDRESSES_IN_RANGE) ?? []),
  ]);
  const services = renderServiceFilter(set, options.services ?? [], family);
  const head = (chain: string, isUsed: boolean): string[] =>
    [
      '-m conntrack --ctstate RELATED,ESTABLISHED',
      ...(isUsed ? [...new Set(nodes)].filter(ofFamily(family)).map((node) => `-s ${node}`) : []),
    ].map((match) => `-A ${chain} ${match} -j RETURN`);
  return [
    '*filter',
    `:${POLICY_CHAIN} - [0:0]`,
    `:${SERVICE_CHAIN} - [0:0]`,
    ...chains.heads,
    ...head(POLICY_CHAIN, chains.jumps.length > 0),
    ...chains.jumps,
    ...chains.bodies,
    ...head(SERVICE_CHAIN, services.length > 0),
    ...services,
    'COMMIT',
    '',
  ].join('\n');
}
