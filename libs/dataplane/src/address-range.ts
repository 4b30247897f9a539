import { isIPv4, isIPv6 } from 'node:net';
import type { Backend } from './rule-set.js';

/** 32-bit value of a dotted IPv4 address; undefined when the text is none. */
export function parseIpv4(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

function parseIpv6(text: string): bigint | undefined {
  // A zone means something on one host alone.
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const low = parseIpv4(dotted[2] ?? '') ?? 0;
    return parseIpv6(`${dotted[1]}${(low >>> 16).toString(16)}:${(low & 0xffff).toString(16)}`);
  }
  const [head = '', tail] = text.split('::').map((half) => half.split(':').filter(Boolean));
  const start = head as string[];
  const end = tail ?? [];
  const gap = tail ? Array<string>(8 - start.length - end.length).fill('0') : [];
  return [...start, ...gap, ...end].reduce(
    (value, part) => value * 65_536n + BigInt(`0x${part}`),
    0n,
  );
}

const valueOf = (address: string): { bits: 32 | 128; value: bigint } | undefined => {
  const v4 = parseIpv4(address);
  if (v4 !== undefined) return { bits: 32, value: BigInt(v4) };
  const v6 = parseIpv6(address);
  return v6 === undefined ? undefined : { bits: 128, value: v6 };
};

/** A CIDR or one address, of IPv4 or IPv6. */
export class AddressRange {
  private constructor(
    private readonly text: string,
    private readonly bits: 32 | 128,
    private readonly first: bigint,
    private readonly last: bigint,
  ) {}

  /** Undefined when the text is neither a CIDR nor an address. */
  static parse(text: string): AddressRange | undefined {
    const [address = '', length] = text.split('/');
    const base = valueOf(address);
    if (!base || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined;
    const prefix = length === undefined ? base.bits : Number(length);
    if (prefix > base.bits) return undefined;
    const size = 1n << BigInt(base.bits - prefix);
    const first = (base.value / size) * size;
    return new AddressRange(text, base.bits, first, first + size - 1n);
  }

  contains(address: string): boolean {
    const one = valueOf(address);
    return (
      one !== undefined &&
      one.bits === this.bits &&
      one.value >= this.first &&
      one.value <= this.last
    );
  }

  toString(): string {
    return this.text;
  }
}

/** Addresses that no Endpoints object can make the relay dial, whatever the allowed ranges say. */
const NEVER = [
  '0.0.0.0/8',
  '127.0.0.0/24',
  '169.254.0.0/16',
  '224.0.0.0/3',
  // ::, ::1, and every form in which an address of IPv4 is written as one of IPv6.
  '::/96',
  '::ffff:0:0/96',
  '64:ff9b::/96',
  'fe80::/10',
  'ff00::/8',
];

const API_PORT = 6443;

/** etcd, kube-proxy, kubelet, controller manager and scheduler: never backends at a node's address. */
const CONTROL_PORTS = new Set([2379, 2380, 10248, 10249, 10250, 10255, 10256, 10257, 10259]);

type Place = 'pods' | 'nodes' | 'elsewhere';

/** Answers of one guard that are kept, so that a busy backend costs no arithmetic. */
const MAX_KNOWN = 10_000;

/**
 * Which backends may be dialled: addresses of the pod range, and of the nodes' range only what kube-proxy knows to be a
 * pod of the host network or an API server, so that an Endpoints object cannot point the relay at a loopback or
 * control-plane port (CVE-2021-25740).
 */
export class DialGuard {
  private readonly pods: readonly AddressRange[];
  private readonly nodes: readonly AddressRange[];
  private readonly never = NEVER.flatMap((text) => AddressRange.parse(text) ?? []);
  private readonly known = new Map<string, Place>();

  constructor(pods: readonly string[], nodes: readonly string[] = []) {
    this.pods = pods.flatMap((text) => AddressRange.parse(text) ?? []);
    this.nodes = nodes.flatMap((text) => AddressRange.parse(text) ?? []);
  }

  allows({ address, port, host }: Pick<Backend, 'address' | 'port' | 'host'>): boolean {
    const place = this.placeOf(address);
    if (place !== 'nodes') return place === 'pods';
    if (host === undefined || CONTROL_PORTS.has(port)) return false;
    return host === 'apiServer' || port !== API_PORT;
  }

  private placeOf(address: string): Place {
    const known = this.known.get(address);
    if (known !== undefined) return known;
    const place = this.find(address);
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(address, place);
    return place;
  }

  private find(address: string): Place {
    const isIn = (ranges: readonly AddressRange[]): boolean =>
      ranges.some((range) => range.contains(address));
    if (isIn(this.never)) return 'elsewhere';
    if (isIn(this.pods)) return 'pods';
    return isIn(this.nodes) ? 'nodes' : 'elsewhere';
  }
}
