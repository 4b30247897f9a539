import type { Family } from './service-ports.js';

/** A rule in the order in which iptables-save writes its parts. */
export interface Rule {
  readonly chain: string;
  /** CIDR, with a leading `!` for all others. */
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: string;
  /** Matches in the order in which they were given: `addrtype --dst-type LOCAL`. */
  readonly matches?: readonly string[];
  /** `-j`, with the target's options; absent for a rule that only carries a comment. */
  readonly jump?: string;
}

/** A table being written: chains in alphabetical order, rules in the order of each chain. */
export class TableText {
  private readonly rules = new Map<string, string[]>();

  constructor(
    private readonly name: string,
    /** Chains of the kernel and of other programs that are shown too. */
    chains: readonly string[],
  ) {
    for (const chain of chains) this.rules.set(chain, []);
  }

  /** Makes sure that the chain is there, with or without rules. */
  chain(name: string): void {
    if (!this.rules.has(name)) this.rules.set(name, []);
  }

  add(rule: Rule): void {
    this.chain(rule.chain);
    this.rules.get(rule.chain)?.push(formatRule(rule));
  }

  toString(): string {
    const chains = [...this.rules.keys()].sort();
    return [
      `*${this.name}`,
      ...chains.map((chain) => `:${chain} - [0:0]`),
      ...chains.flatMap((chain) => this.rules.get(chain) ?? []),
      'COMMIT',
    ].join('\n');
  }
}

/** A comment match; iptables-save quotes all but the plainest words. */
export const comment = (text: string): string =>
  `comment --comment ${/^[\w-]+$/.test(text) ? text : `"${text}"`}`;

const negated = (flag: string, cidr: string | undefined): string[] => {
  if (cidr === undefined) return [];
  const full = cidr.includes('/') ? cidr : `${cidr}/${cidr.includes(':') ? 128 : 32}`;
  return full.startsWith('!') ? ['!', flag, full.slice(1)] : [flag, full];
};

function formatRule({ chain, source, destination, protocol, matches = [], jump }: Rule): string {
  return [
    '-A',
    chain,
    ...negated('-s', source),
    ...negated('-d', destination),
    ...(protocol === undefined ? [] : ['-p', protocol]),
    ...matches.flatMap((match) => ['-m', match]),
    ...(jump === undefined ? [] : ['-j', jump]),
  ].join(' ');
}

/** Ten digits, as the proxiers compute it, in the eleven that iptables-save prints. */
export function probability(remaining: number): string {
  const asked = Number((1 / remaining).toFixed(10));
  // The kernel keeps 31 bits of it.
  return (Math.round(asked * 2 ** 31) / 2 ** 31).toFixed(11);
}

export const rejectWith = ({ family }: PrintOptions): string =>
  `REJECT --reject-with ${family === 'IPv6' ? 'icmp6' : 'icmp'}-port-unreachable`;

const maskOf = ({ family }: PrintOptions): string =>
  family === 'IPv6' ? Array(8).fill('ffff').join(':') : '255.255.255.255';

export const recentCheck = (options: PrintOptions, chain: string, seconds: number): string =>
  `recent --rcheck --seconds ${seconds} --reap --name ${chain} --mask ${maskOf(options)} --rsource`;
export const recentSet = (options: PrintOptions, chain: string): string =>
  `recent --set --name ${chain} --mask ${maskOf(options)} --rsource`;

/** What of the cluster and of the configuration the rules depend on beside services. */
export interface PrintOptions {
  /** Absent: IPv4. With IPv6 it is the text of ip6tables-save. */
  readonly family?: Family;
  /** Pods' addresses, to tell traffic from inside; absent: not told apart (detectLocalMode without clusterCIDR). */
  readonly clusterCidr?: string;
  readonly masqueradeAll: boolean;
  /** Default 14. */
  readonly masqueradeBit: number;
  readonly nodeIp: string;
  /** Addresses on which node ports answer; empty = all. */
  readonly nodePortAddresses: readonly string[];
}

export const markOf = ({ masqueradeBit }: PrintOptions): string =>
  `0x${(2 ** masqueradeBit).toString(16)}`;

/** Above this many endpoint chains, comments are left out of them. */
const MANY_ENDPOINTS = 1_000;

/** The comment of rules in service and endpoint chains; none in a large cluster. */
export const serviceComments =
  (endpoints: number) =>
  (text: string): readonly string[] =>
    endpoints > MANY_ENDPOINTS ? [] : [comment(text)];
