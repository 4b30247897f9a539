import type { Pod } from '@orrery/api';
import { ConfigError } from '@orrery/component';

type Namespace = 'IPC' | 'Net';

/** What every pod may set (k8s pkg/kubelet/sysctl/safe_sysctls.go). */
const SAFE: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

/** With slashes as with dots: the first one of them parts names (k8s component-helpers/node/util/sysctl/sysctl.go). */
function normalize(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  if (first !== '/') return name;
  return name.replace(/[./]/g, (mark) => (mark === '/' ? '.' : '/'));
}

/** Of which namespace a setting is; undefined when it is one of the whole machine. */
function namespaceOf(name: string): Namespace | undefined {
  if (/^(kernel\.(sem$|shm|msg)|fs\.mqueue\.)/.test(name)) return 'IPC';
  return name.startsWith('net.') ? 'Net' : undefined;
}

/** The patterns of --allowed-unsafe-sysctls; throws ConfigError for what no namespace holds. */
export function parseSysctls(patterns: readonly string[]): string[] {
  return patterns.map((pattern) => {
    const name = normalize(pattern);
    if (
      !/^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*([./_-]?\*)?$/.test(
        name,
      )
    )
      throw new ConfigError(`the sysctl "${pattern}" is not a name or a prefix that ends with *`);
    if (!namespaceOf(name.replace(/\*$/, '')))
      throw new ConfigError(`the sysctls "${pattern}" are not known to be namespaced`);
    return name;
  });
}

function isAllowed(name: string, unsafe: readonly string[]): boolean {
  return (
    SAFE.has(name) ||
    unsafe.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one))
  );
}

/** Why a pod's settings of the kernel are refused (k8s pkg/kubelet/sysctl/allowlist.go); undefined when they are not. */
export function forbiddenSysctl({ spec }: Pod, unsafe: readonly string[]): string | undefined {
  for (const sysctl of spec.securityContext?.sysctls ?? []) {
    const name = normalize(sysctl.name);
    if (!isAllowed(name, unsafe)) return `forbidden sysctl: "${name}" not allowlisted`;
    const namespace = namespaceOf(name);
    const isHosts = namespace === 'IPC' ? spec.hostIPC : spec.hostNetwork;
    if (isHosts)
      return `forbidden sysctl: "${name}" not allowed with host ${namespace ?? ''} enabled`;
  }
  return undefined;
}
