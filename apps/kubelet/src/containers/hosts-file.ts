import type { Pod } from '@orrery/api';

/** The pod's name cut to what a hostname may hold. */
export function hostnameOf(pod: Pod): string {
  return (pod.spec.hostname ?? pod.metadata.name ?? '').slice(0, 63).replace(/[-.]+$/, '');
}

/**
 * Where pods have addresses of 127.0.0.0/8 they have no loopback of their own: the pod's address is what all its
 * containers share.
 */
function localhostLines(podIps: readonly string[]): string[] {
  const own = podIps.find((ip) => ip.startsWith('127.'));
  if (own !== undefined) return [`${own}\tlocalhost`, '::1\tip6-localhost ip6-loopback'];
  return ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback'];
}

/** The text of a pod's /etc/hosts. */
export function hostsFile(pod: Pod, podIps: readonly string[]): string {
  const hostname = hostnameOf(pod);
  const names = pod.spec.subdomain ? `${hostname}.${pod.spec.subdomain}\t${hostname}` : hostname;
  const lines = [
    '# Kubernetes-managed hosts file.',
    ...localhostLines(podIps),
    ...podIps.map((ip) => `${ip}\t${names}`),
    ...(pod.spec.hostAliases ?? []).map(
      (alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}
