import { createHash } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const LENGTH = 16;

/** The first 16 characters of base32(sha256(text)) (k8s pkg/proxy/iptables/proxier.go:portProtoHash). */
function shortHash(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  let bits = 0n;
  for (const byte of digest.subarray(0, (LENGTH * 5) / 8)) bits = (bits << 8n) | BigInt(byte);
  return Array.from({ length: LENGTH }, (_, i) =>
    ALPHABET.charAt(Number((bits >> BigInt(5 * (LENGTH - 1 - i))) & 31n)),
  ).join('');
}

/** `KUBE-SVC-…`, `KUBE-EXT-…`, `KUBE-SVL-…`, `KUBE-FW-…`, `KUBE-XLB-…` of a service port. */
export const serviceChain = (
  kind: 'SVC' | 'SVL' | 'EXT' | 'FW' | 'XLB',
  { name, protocol }: { readonly name: string; readonly protocol: string },
): string => `KUBE-${kind}-${shortHash(name + protocol)}`;

/** `KUBE-SEP-…` of an endpoint of a service port. */
export const endpointChain = (
  { name, protocol }: { readonly name: string; readonly protocol: string },
  endpoint: string,
): string => `KUBE-SEP-${shortHash(name + protocol + endpoint)}`;
