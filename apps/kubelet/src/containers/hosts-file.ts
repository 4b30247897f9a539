import type { Pod } from '@orrery/api';

const MAX_FQDN = 64;

/** The pod's name, or what it says instead, cut to what a hostname may hold. */
export function hostnameOf({ metadata, spec }: Pod): string {
  const name = spec.hostnameOverride ?? (spec.hostname || (metadata.name ?? ''));
  return name.length <= 63 ? name : name.slice(0, 63).replace(/[-.]+$/, '');
}

function domainOf({ metadata, spec }: Pod, clusterDomain: string): string {
  if (!spec.subdomain || spec.hostnameOverride !== undefined) return '';
  return [spec.subdomain, metadata.namespace, 'svc', clusterDomain].filter(Boolean).join('.');
}

/**
 * The hostname for the kernel; in the host's network that of the host, which the runtime knows. Throws when it is too
 * long (k8s pkg/kubelet/util/util_linux.go:GetNodenameForKernel).
 */
export function sandboxHostname(pod: Pod, clusterDomain: string): string {
  if (pod.spec.hostNetwork) return '';
  const domain = pod.spec.setHostnameAsFQDN ? domainOf(pod, clusterDomain) : '';
  if (!domain) return hostnameOf(pod);
  const fqdn = `${hostnameOf(pod)}.${domain}`;
  if (fqdn.length > MAX_FQDN)
    throw new RangeError(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${MAX_FQDN} characters is the max, ${fqdn.length} characters requested)`,
    );
  return fqdn;
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

function aliasLines({ spec: { hostAliases = [] } }: Pod): string[] {
  if (hostAliases.length === 0) return [];
  const lines = hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  return ['', '# Entries added by HostAliases.', ...lines];
}

/** The text of a pod's /etc/hosts (k8s pkg/kubelet/kubelet_pods.go:managedHostsFileContent). */
export function hostsFile(pod: Pod, podIps: readonly string[], clusterDomain: string): string {
  const hostname = hostnameOf(pod);
  const domain = domainOf(pod, clusterDomain);
  const names = domain ? `${hostname}.${domain}\t${hostname}` : hostname;
  const lines = [
    '# Kubernetes-managed hosts file.',
    ...localhostLines(podIps),
    ...MULTICAST,
    ...podIps.map((ip) => `${ip}\t${names}`),
    ...aliasLines(pod),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same for a pod of the host's network: `machineHosts` is the machine's file (nodeHostsFileContent). */
export function nodeHostsFile(pod: Pod, nodeIps: readonly string[], machineHosts: string): string {
  const own = nodeIps.find((ip) => ip.startsWith('127.'));
  const hosts =
    own === undefined
      ? machineHosts.trimEnd().split('\n')
      : [...localhostLines([own]), `${own}\t${pod.spec.nodeName ?? ''}`];
  const lines = ['# Kubernetes-managed hosts file (host network).', ...hosts, ...aliasLines(pod)];
  return `${lines.join('\n')}\n`;
}
