import { isIPv4, isIPv6 } from 'node:net';
import { OpaqueValue } from '../values/value.js';
import type { Value } from '../values/value.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

/** Groups of an IPv6 address, with `::` filled up. */
function groupsOf(text: string): bigint[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : text;
  const [head = '', tail] = plain.split('::');
  const parse = (part: string): bigint[] =>
    part === '' ? [] : part.split(':').map((group) => BigInt(`0x${group}`));
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...Array<bigint>(8 - left.length - right.length).fill(0n), ...right];
}

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((value >> BigInt((7 - i) * 16)) & 0xffffn),
  );
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length += 1;
    if (length > best.length) best = { at: i, length };
  }
  const hex = (part: readonly number[]): string => part.map((one) => one.toString(16)).join(':');
  if (best.at < 0) return hex(groups);
  return `${hex(groups.slice(0, best.at))}::${hex(groups.slice(best.at + best.length))}`;
}

export class IpValue extends OpaqueValue {
  readonly typeName = 'net.IP';

  constructor(
    readonly family: 4 | 6,
    readonly value: bigint,
  ) {
    super();
  }

  get bits(): number {
    return this.family === 4 ? 32 : 128;
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof IpValue && other.family === this.family && other.value === this.value;
  }

  toText(): string {
    if (this.family === 6) return formatIpv6(this.value);
    return [24n, 16n, 8n, 0n].map((shift) => String((this.value >> shift) & 0xffn)).join('.');
  }
}

const MAPPED = 0xffffn;

function readIp(text: string): IpValue | string {
  const problem = (why: string): string =>
    `IP Address ${JSON.stringify(text)} parse error during conversion from string: ${why}`;
  if (text.includes('%'))
    return `IP address ${JSON.stringify(text)} with zone value is not allowed`;
  if (isIPv4(text)) {
    return new IpValue(
      4,
      text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n),
    );
  }
  if (!isIPv6(text)) return problem(`ParseAddr(${JSON.stringify(text)}): unable to parse IP`);
  const value = groupsOf(text).reduce((sum, group) => (sum << 16n) | group, 0n);
  if (value >> 32n === MAPPED)
    return `IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`;
  return new IpValue(6, value);
}

function ip(text: string): IpValue {
  const read = readIp(text);
  return typeof read === 'string' ? fail(read) : read;
}

export class CidrValue extends OpaqueValue {
  readonly typeName = 'net.CIDR';

  constructor(
    readonly ip: IpValue,
    readonly length: number,
  ) {
    super();
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof CidrValue && other.length === this.length && other.ip.equals(this.ip);
  }

  private get shift(): bigint {
    return BigInt(this.ip.bits - this.length);
  }

  masked(): CidrValue {
    return new CidrValue(
      new IpValue(this.ip.family, (this.ip.value >> this.shift) << this.shift),
      this.length,
    );
  }

  contains(other: IpValue): boolean {
    return (
      other.family === this.ip.family && other.value >> this.shift === this.ip.value >> this.shift
    );
  }

  toText(): string {
    return `${this.ip.toText()}/${this.length}`;
  }
}

function readCidr(text: string): CidrValue | string {
  const [address = '', bits, ...rest] = text.split('/');
  const read = readIp(address);
  const isNumber = bits !== undefined && /^(?:0|[1-9]\d{0,2})$/.test(bits) && rest.length === 0;
  if (typeof read === 'string' || !isNumber || Number(bits) > read.bits) {
    if (typeof read === 'string' && read.startsWith('IPv4-mapped')) return read;
    return `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): no '/'`;
  }
  return new CidrValue(read, Number(bits));
}

function cidr(text: string): CidrValue {
  const read = readCidr(text);
  return typeof read === 'string' ? fail(read) : read;
}

const containsCidr = (outer: CidrValue, inner: CidrValue): boolean =>
  outer.contains(inner.ip) && outer.length <= inner.length;

/** True when the first `length` bits of an address are those of `prefix`. */
const hasPrefix = ({ value, bits }: IpValue, prefix: bigint, length: number): boolean =>
  value >> BigInt(bits - length) === prefix;

const isUnspecified = ({ value }: IpValue): boolean => value === 0n;
const isLoopback = (one: IpValue): boolean =>
  one.family === 4 ? hasPrefix(one, 127n, 8) : one.value === 1n;
const isLinkLocalMulticast = (one: IpValue): boolean =>
  one.family === 4 ? hasPrefix(one, 0xe00000n, 24) : ((one.value >> 112n) & 0xff0fn) === 0xff02n;
const isLinkLocalUnicast = (one: IpValue): boolean =>
  one.family === 4 ? hasPrefix(one, 0xa9fen, 16) : hasPrefix(one, 0xfe80n >> 6n, 10);
const isMulticast = (one: IpValue): boolean =>
  one.family === 4 ? hasPrefix(one, 0xen, 4) : hasPrefix(one, 0xffn, 8);
const isGlobalUnicast = (one: IpValue): boolean =>
  !isUnspecified(one) &&
  !isLoopback(one) &&
  !isMulticast(one) &&
  !isLinkLocalUnicast(one) &&
  !(one.family === 4 && one.value === 0xffffffffn);

const ipTest = (name: string, id: string, test: (one: IpValue) => Value): Overload =>
  fn(`IP.${name}(): bool`, id, test);

/** Kubernetes' IP and CIDR libraries. */
export const network: readonly Overload[] = [
  fn('ip(string): IP', 'string_to_ip', ip),
  fn('isIP(string): bool', 'is_ip', (text: string) => typeof readIp(text) !== 'string'),
  fn(
    '::ip.isCanonical(string): bool',
    'ip_is_canonical',
    (text: string) => ip(text).toText() === text,
  ),
  fn('string(IP): string', 'ip_to_string', (one: IpValue) => one.toText()),
  fn('IP.family(): int', 'ip_family', ({ family }: IpValue) => BigInt(family)),
  ipTest('isUnspecified', 'ip_is_unspecified', isUnspecified),
  ipTest('isLoopback', 'ip_is_loopback', isLoopback),
  ipTest('isLinkLocalMulticast', 'ip_is_link_local_multicast', isLinkLocalMulticast),
  ipTest('isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocalUnicast),
  ipTest('isGlobalUnicast', 'ip_is_global_unicast', isGlobalUnicast),
  fn('cidr(string): CIDR', 'string_to_cidr', cidr),
  fn('isCIDR(string): bool', 'is_cidr', (text: string) => typeof readCidr(text) !== 'string'),
  fn('string(CIDR): string', 'cidr_to_string', (one: CidrValue) => one.toText()),
  fn('CIDR.containsIP(string): bool', 'cidr_contains_ip_string', (a: CidrValue, b: string) =>
    a.contains(ip(b)),
  ),
  fn('CIDR.containsIP(IP): bool', 'cidr_contains_ip_ip', (a: CidrValue, b: IpValue) =>
    a.contains(b),
  ),
  fn('CIDR.containsCIDR(string): bool', 'cidr_contains_cidr_string', (a: CidrValue, b: string) =>
    containsCidr(a, cidr(b)),
  ),
  fn('CIDR.containsCIDR(CIDR): bool', 'cidr_contains_cidr', containsCidr),
  fn('CIDR.ip(): IP', 'cidr_ip', (one: CidrValue) => one.ip),
  fn('CIDR.prefixLength(): int', 'cidr_prefix_length', ({ length }: CidrValue) => BigInt(length)),
  fn('CIDR.masked(): CIDR', 'cidr_masked', (one: CidrValue) => one.masked()),
];
