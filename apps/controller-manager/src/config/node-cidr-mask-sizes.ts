import { ConfigError } from '@orrery/component';

/** What flags say of the size of a node's pod range; undefined = not given. */
export interface MaskFlags {
  readonly clusterCidr: string;
  readonly nodeCidrMaskSize?: number | undefined;
  readonly nodeCidrMaskSizeIpv4?: number | undefined;
  readonly nodeCidrMaskSizeIpv6?: number | undefined;
}

export interface MaskSizes {
  readonly IPv4: number;
  readonly IPv6: number;
}

/** What the families of the cluster do not go with, in upstream's words. */
function misuse(flags: MaskFlags, isDual: boolean, isIpv6: boolean): string | undefined {
  const [one, has4, has6] = [
    flags.nodeCidrMaskSize,
    flags.nodeCidrMaskSizeIpv4,
    flags.nodeCidrMaskSizeIpv6,
  ].map((size) => size !== undefined);
  if (isDual && one) return '--node-cidr-mask-size is not allowed with dual-stack clusters';
  if (one && (has4 || has6))
    return '--node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6 is not allowed if --node-cidr-mask-size is set. For dual-stack clusters please unset it.';
  if (isIpv6 && has4)
    return '--node-cidr-mask-size-ipv4 is not allowed for a single-stack IPv6 cluster';
  return !isDual && !isIpv6 && has6
    ? '--node-cidr-mask-size-ipv6 is not allowed for a single-stack IPv4 cluster'
    : undefined;
}

/** Pure (k8s cmd/kube-controller-manager/app/core.go:setNodeCIDRMaskSizes). Throws ConfigError. */
export function nodeCidrMaskSizes(flags: MaskFlags): MaskSizes {
  const { clusterCidr, nodeCidrMaskSize: one } = flags;
  const { nodeCidrMaskSizeIpv4: IPv4 = 24, nodeCidrMaskSizeIpv6: IPv6 = 64 } = flags;
  const isDual = clusterCidr.includes(',');
  const isIpv6 = !isDual && clusterCidr.includes(':');
  const problem = misuse(flags, isDual, isIpv6);
  if (problem !== undefined) throw new ConfigError(`usage of ${problem}`);
  if (one === undefined) return { IPv4, IPv6 };
  return isIpv6 ? { IPv4, IPv6: one } : { IPv4: one, IPv6 };
}
