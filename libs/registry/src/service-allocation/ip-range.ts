import { isIPv6 } from 'node:net';
import type { Random } from '@orrery/component';

export type IpFamily = 'IPv4' | 'IPv6';

export const familyOf = (ip: string): IpFamily => (isIPv6(ip) ? 'IPv6' : 'IPv4');

/** A range as numbers: what cluster IPs are taken from. */
export interface IpRange {
  readonly cidr: string;
  readonly family: IpFamily;
  /** Number of the network address. */
  readonly base: bigint;
  /** Addresses in the range, those included that no Service may have. */
  readonly size: bigint;
}

const WIDTH = { IPv4: 32, IPv6: 128 } as const;
/** More addresses than this are not looked at (k8s pkg/registry/core/service/ipallocator: IPv6 ranges are capped). */
const MOST = 1n << 20n;

function groupsOf(text: string): bigint[] {
  return text === '' ? [] : text.split(':').map((group) => BigInt(`0x${group}`));
}

function toNumber(ip: string): bigint {
  if (!isIPv6(ip)) return ip.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = ip.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65_536n + group, 0n);
}

/** IPv6 in its canonical text, as the URL parser writes it. */
function toIp(family: IpFamily, value: bigint): string {
  if (family === 'IPv4')
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt((7 - i) * 16)) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** Reads `a.b.c.d/n` or `a::/n`; undefined when it is neither. */
export function parseIpRange(cidr: string): IpRange | undefined {
  const [address = '', length = ''] = cidr.split('/');
  const isV4 = /^\d{1,3}(\.\d{1,3}){3}$/.test(address);
  if (!/^\d{1,3}$/.test(length) || (!isV4 && !(isIPv6(address) && !address.includes('.'))))
    return undefined;
  const family = familyOf(address);
  const bits = Number(length);
  if (bits > WIDTH[family]) return undefined;
  const size = 1n << BigInt(WIDTH[family] - bits);
  return { cidr, family, base: (toNumber(address) / size) * size, size };
}

/** The last offset that a Service may have: IPv4 has a broadcast address behind it. */
const lastOf = ({ family, size }: IpRange): bigint => (family === 'IPv4' ? size - 2n : size - 1n);

/** Where an address is in the range, which may be before or behind it; undefined for one of the other family. */
function offsetIn(range: IpRange, ip: string): bigint | undefined {
  if (familyOf(ip) !== range.family || ip.includes('.') !== (range.family === 'IPv4'))
    return undefined;
  return toNumber(ip) - range.base;
}

export const networkAddress = ({ family, base }: IpRange): string => toIp(family, base);

export function contains(range: IpRange, ip: string): boolean {
  const offset = offsetIn(range, ip);
  return offset !== undefined && offset >= 0n && offset < range.size;
}

/** True for an address that a Service may have: neither the network's nor the broadcast address. */
export function isUsable(range: IpRange, ip: string): boolean {
  const offset = offsetIn(range, ip);
  return offset !== undefined && offset > 0n && offset <= lastOf(range);
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/**
 * Offsets in the order in which they are tried: at random above the band that is kept for fixed addresses, then in
 * the band (k8s pkg/registry/core/service/ipallocator: min(max(16, size/16), 256)).
 */
export function* candidates(range: IpRange, random: Random): Generator<string> {
  const last = least(lastOf(range), MOST);
  const band = least(most(16n, range.size / 16n), 256n);
  const first = band >= last ? 1n : band + 1n;
  const start = first + BigInt(Math.floor(random.next() * Number(last - first + 1n)));
  const at = (offset: bigint): string => toIp(range.family, range.base + offset);
  for (let offset = start; offset <= last; offset++) yield at(offset);
  for (let offset = first; offset < start; offset++) yield at(offset);
  for (let offset = 1n; offset < first; offset++) yield at(offset);
}

/** The ranges of a flag, the first of them the cluster's own family. */
export const splitRanges = (cidrs: string): readonly string[] =>
  cidrs
    .split(',')
    .map((cidr) => cidr.trim())
    .filter((cidr) => cidr !== '');

/** The address of the kubernetes Service: the first of the first range. */
export function firstServiceIp(cidrs: string): string {
  const range = parseIpRange(splitRanges(cidrs)[0] ?? '');
  return range ? toIp(range.family, range.base + 1n) : '';
}
