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

const MULTICAST = [
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];

/** The text of a pod's /etc/hosts (k8s pkg/kubelet/kubelet_pods.go:managedHostsFileContent). */
export function hostsFile(pod: Pod, podIps: readonly string[], clusterDomain: string): string {
  const hostname = hostnameOf(pod);
  const { subdomain, hostAliases = [] } = pod.spec;
  const zone = [pod.metadata.namespace, 'svc', clusterDomain].filter(Boolean).join('.');
  const names = subdomain ? `${hostname}.${subdomain}.${zone}\t${hostname}` : hostname;
  const aliases = hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  const lines = [
    '# Kubernetes-managed hosts file.',
    ...localhostLines(podIps),
    ...MULTICAST,
    ...podIps.map((ip) => `${ip}\t${names}`),
    ...(aliases.length > 0 ? ['', '# Entries added by HostAliases.', ...aliases] : []),
  ];
  return `${lines.join('\n')}\n`;
}
