import type { Random } from '@orrery/component';

/** An IPv4 range as numbers: what cluster IPs are taken from. */
export interface IpRange {
  readonly cidr: string;
  /** Number of the network address. */
  readonly base: number;
  /** Addresses in the range, network and broadcast included. */
  readonly size: number;
}

export const toNumber = (ip: string): number =>
  ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

export const toIp = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** Reads `a.b.c.d/n`; undefined when it is none. */
export function parseIpRange(cidr: string): IpRange | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(cidr);
  const bits = Number(match?.[2]);
  if (!match?.[1] || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  return { cidr, base: Math.floor(toNumber(match[1]) / size) * size, size };
}

/** True for an address that a Service may have: neither the network's nor the broadcast address. */
export function isUsable(range: IpRange, ip: string): boolean {
  const offset = toNumber(ip) - range.base;
  return offset > 0 && offset < range.size - 1;
}

/**
 * Offsets in the order in which they are tried: at random above the band that is kept for fixed addresses, then in
 * the band (k8s pkg/registry/core/service/ipallocator: min(max(16, size/16), 256)).
 */
export function* candidates(range: IpRange, random: Random): Generator<string> {
  const last = range.size - 2;
  const band = Math.min(Math.max(16, Math.floor(range.size / 16)), 256);
  const first = band >= last ? 1 : band + 1;
  const start = first + Math.floor(random.next() * (last - first + 1));
  for (let offset = start; offset <= last; offset++) yield toIp(range.base + offset);
  for (let offset = first; offset < start; offset++) yield toIp(range.base + offset);
  for (let offset = 1; offset < first; offset++) yield toIp(range.base + offset);
}

/** The address of the kubernetes Service: the first of the range. */
export function firstServiceIp(cidr: string): string {
  const range = parseIpRange(cidr);
  return range ? toIp(range.base + 1) : '';
}
