import { Block, parseAddress } from './address.js';
import type { ParsedAddress } from './address.js';
import { compileBlock } from './blocks.js';
import type { FlowRule, PodIsolation, PolicySet, PortRange } from './policy-set.js';

/** One connection: who opened it and what it reaches after any Service has been resolved. */
export interface PolicyFlow {
  readonly source: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

/** Which side refuses; undefined = the flow may pass. */
export type Verdict =
  { readonly refusedBy: 'egress' | 'ingress'; readonly pod: string } | undefined;

type RuleTest = (peer: string, flow: PolicyFlow) => boolean;

export const matchesPort = (
  { protocol, from, to }: PortRange,
  flow: Pick<PolicyFlow, 'protocol' | 'port'>,
): boolean =>
  protocol === flow.protocol &&
  (from === undefined || (flow.port >= from && flow.port <= (to ?? from)));

function compileRule({ ports, addresses, blocks }: FlowRule): RuleTest {
  const peers = addresses && new Set(addresses);
  const inBlock = blocks?.map(compileBlock);
  const isOpen = !peers && !inBlock;
  const isInBlock = (address: ParsedAddress | undefined): boolean =>
    address !== undefined && inBlock?.some((test) => test(address)) === true;
  return (peer, flow) =>
    (!ports || ports.some((range) => matchesPort(range, flow))) &&
    (isOpen || peers?.has(peer) === true || isInBlock(parseAddress(peer)));
}

/** Answers for flows from a {@link PolicySet}; a set that changes needs a new one. */
export class PolicyEvaluator {
  private readonly rules: readonly RuleTest[];
  private readonly pods = new Map<string, PodIsolation>();
  private readonly nodes: readonly {
    readonly own: ReadonlySet<string>;
    readonly pods: readonly Block[];
  }[];

  constructor(set: PolicySet) {
    this.rules = set.rules.map(compileRule);
    for (const pod of set.pods) for (const address of pod.addresses) this.pods.set(address, pod);
    this.nodes = set.nodes.map(({ addresses, podCidrs }) => ({
      own: new Set(addresses),
      pods: podCidrs.flatMap((cidr) => Block.parse(cidr) ?? []),
    }));
  }

  /** Arrow form: it is handed to the dataplane as its policy. */
  readonly permits = (flow: PolicyFlow): boolean => this.verdict(flow) === undefined;

  verdict(flow: PolicyFlow): Verdict {
    const { source, address } = flow;
    const from = this.pods.get(source);
    const to = this.pods.get(address);
    if ((!from && !to) || source === address || (from && from === to)) return undefined;
    if (from?.egress && !this.isNodeOf(source, address) && !this.some(from.egress, address, flow))
      return { refusedBy: 'egress', pod: from.pod };
    if (to?.ingress && !this.isNodeOf(address, source) && !this.some(to.ingress, source, flow))
      return { refusedBy: 'ingress', pod: to.pod };
    return undefined;
  }

  private some(rules: readonly number[], peer: string, flow: PolicyFlow): boolean {
    return rules.some((place) => this.rules[place]?.(peer, flow) === true);
  }

  /** Traffic between a pod and the node that it runs on is never refused. */
  private isNodeOf(pod: string, node: string): boolean {
    const owner = this.nodes.find(({ own }) => own.has(node));
    const address = owner && parseAddress(pod);
    return address !== undefined && owner?.pods.some((block) => block.contains(address)) === true;
  }
}
