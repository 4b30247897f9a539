import { isIPv6 } from 'node:net';

/** A pod's addresses, at most one a family, that of the node's own first (k8s pkg/kubelet/kubelet_pods.go:sortPodIPs). */
export function sortPodIps(ips: readonly string[], hostIps: readonly string[]): readonly string[] {
  const wantsIpv6 = isIPv6(hostIps[0] ?? '');
  const first = ips.find((ip) => isIPv6(ip) === wantsIpv6);
  const second = ips.find((ip) => isIPv6(ip) !== wantsIpv6);
  return [first, second].filter((ip) => ip !== undefined);
}
