import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { newBadRequest } from '@orrery/apimachinery';
import type { ApiServerOptions } from '../config/options.js';

const FORBIDDEN = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  FORBIDDEN.addSubnet(net, bits);
for (const [net, bits] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  FORBIDDEN.addSubnet(net, bits, 'ipv6');

/**
 * Which addresses the API server dials for its clients: none on this host, link-local or multicast, unless the
 * cluster itself lives there (CVE-2020-8562, CVE-2022-3294). Names are resolved once and the checked address dialled.
 */
export class DialPolicy {
  readonly #own = new BlockList();

  /** `ranges`: the cluster's CIDRs, which in loopback mode are inside 127/8. */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [net = '', bits = '32'] = range.split('/');
      if (isIP(net) !== 0) this.#own.addSubnet(net, Number(bits), isIPv6(net) ? 'ipv6' : 'ipv4');
    }
  }

  allows(address: string): boolean {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
    const family = isIPv6(mapped) ? 'ipv6' : 'ipv4';
    return (
      isIP(mapped) !== 0 && (this.#own.check(mapped, family) || !FORBIDDEN.check(mapped, family))
    );
  }

  /** The address to dial for `host`; undefined when the name does not resolve. Throws 400 when it may not be dialled. */
  async resolve(host: string): Promise<string | undefined> {
    const address = isIP(host) === 0 ? (await lookup(host).catch(() => undefined))?.address : host;
    if (address === undefined) return undefined;
    if (!this.allows(address)) throw newBadRequest('address not allowed');
    return address;
  }
}

/** In loopback mode nodes live in the first /24 of the server's own /16; etcd's addresses there (.200 up) are left out. */
function nodeRanges(address: string): string[] {
  const [first, second] = address.split('.');
  if (first !== '127') return [];
  const net = `127.${second ?? '0'}.0`;
  return [`${net}.0/25`, `${net}.128/26`];
}

/** The policy of a server with these flags. */
export const dialPolicyOf = (options: ApiServerOptions): DialPolicy =>
  new DialPolicy([
    ...options.clusterCidr.split(','),
    ...options.serviceClusterIpRange.split(','),
    ...nodeRanges(options.advertiseAddress ?? options.bindAddress),
  ]);
