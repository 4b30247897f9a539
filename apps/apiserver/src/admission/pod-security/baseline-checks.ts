import type { LifecycleHandler, Probe, SELinuxOptions } from '@orrery/api';
import type { AnyContainer, Check, CheckPod, CheckedPod } from './check.js';
import {
  badContainers,
  containersOf,
  hasUserNamespace,
  named,
  plural,
  quoted,
  setters,
  sorted,
  unless,
} from './check.js';

const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const PROFILES = new Set<string | undefined>([undefined, 'RuntimeDefault', 'Localhost']);

const appArmorProfile: CheckPod = (pod) => {
  const podType = pod.spec.securityContext?.appArmorProfile?.type;
  const typeOf = (one: AnyContainer): string | undefined =>
    one.securityContext?.appArmorProfile?.type;
  const isBad = (type: string | undefined): boolean => !PROFILES.has(type);
  const containers = badContainers(pod, (one) => isBad(typeOf(one)));
  const annotations = Object.entries(pod.metadata.annotations ?? {})
    .filter(
      ([key, value]) =>
        key.startsWith(APPARMOR) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const types = [podType, ...containersOf(pod).map(typeOf)].filter(isBad);
  const values = [...sorted(types.map((type) => type ?? '')), ...annotations];
  const by = setters(isBad(podType), containers);
  if (annotations.length > 0) by.push(plural('annotation', 'annotations', annotations.length));
  if (by.length === 0) return undefined;
  return {
    reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', values.length),
    detail: `${by.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

const capabilities: CheckPod = (pod) => {
  const added = (one: AnyContainer): string[] =>
    (one.securityContext?.capabilities?.add ?? []).filter(
      (name) => !DEFAULT_CAPABILITIES.has(name),
    );
  const bad = badContainers(pod, (one) => added(one).length > 0);
  if (bad.length === 0) return undefined;
  const names = sorted(containersOf(pod).flatMap(added));
  return {
    reason: 'non-default capabilities',
    detail: `${named(bad)} must not include ${quoted(names)} in securityContext.capabilities.add`,
  };
};

const hostNamespaces: CheckPod = ({ spec }) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]);
  if (used.length === 0) return undefined;
  return { reason: 'host namespaces', detail: used.map((field) => `${field}=true`).join(', ') };
};

const hostPathVolumes: CheckPod = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return {
    reason: 'hostPath volumes',
    detail: `${plural('volume', 'volumes', names.length)} ${quoted(names)}`,
  };
};

const hostPorts: CheckPod = (pod) => {
  const portsOf = (one: AnyContainer): string[] =>
    (one.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
  const bad = badContainers(pod, (one) => portsOf(one).length > 0);
  if (bad.length === 0) return undefined;
  const ports = sorted(containersOf(pod).flatMap(portsOf));
  const uses = plural('uses', 'use', bad.length);
  return {
    reason: 'hostPort',
    detail: `${named(bad)} ${uses} ${plural('hostPort', 'hostPorts', ports.length)} ${ports.join(', ')}`,
  };
};

function hostsOf({
  livenessProbe,
  readinessProbe,
  startupProbe,
  lifecycle,
}: AnyContainer): string[] {
  const handlers: (Probe | LifecycleHandler | undefined)[] = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ];
  return handlers.flatMap((one) =>
    [one?.httpGet?.host, one?.tcpSocket?.host].filter((host): host is string => Boolean(host)),
  );
}

const hostProbes: CheckPod = (pod) => {
  const bad = sorted(badContainers(pod, (one) => hostsOf(one).length > 0));
  if (bad.length === 0) return undefined;
  const hosts = sorted(containersOf(pod).flatMap(hostsOf));
  const what = plural('probe or lifecycle host', 'probe or lifecycle hosts', hosts.length);
  return {
    reason: 'probe or lifecycle host',
    detail: `${named(bad)} ${plural('uses', 'use', bad.length)} ${what} ${quoted(hosts)}`,
  };
};

const privileged: CheckPod = (pod) => {
  const bad = badContainers(pod, (one) => one.securityContext?.privileged === true);
  if (bad.length === 0) return undefined;
  return {
    reason: 'privileged',
    detail: `${named(bad)} must not set securityContext.privileged=true`,
  };
};

export const procMount: CheckPod = (pod) => {
  const typeOf = (one: AnyContainer): string => one.securityContext?.procMount ?? 'Default';
  const bad = badContainers(pod, (one) => typeOf(one) !== 'Default');
  if (bad.length === 0) return undefined;
  const types = sorted(containersOf(pod).map(typeOf)).filter((type) => type !== 'Default');
  return {
    reason: 'procMount',
    detail: `${named(bad)} must not set securityContext.procMount to ${quoted(types)}`,
  };
};

const SELINUX = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

const seLinuxOptions = (types: readonly string[]): CheckPod => {
  const allowed = new Set(types);
  const isBad = (options: SELinuxOptions | undefined): boolean =>
    options !== undefined &&
    (!allowed.has(options.type ?? '') || Boolean(options.user) || Boolean(options.role));
  return (pod) => {
    const own = pod.spec.securityContext?.seLinuxOptions;
    const of = (one: AnyContainer): SELinuxOptions | undefined =>
      one.securityContext?.seLinuxOptions;
    const by = setters(
      isBad(own),
      badContainers(pod, (one) => isBad(of(one))),
    );
    if (by.length === 0) return undefined;
    const bad = [own, ...containersOf(pod).map(of)].filter((options) => isBad(options));
    const badTypes = sorted(bad.map((one) => one?.type ?? '')).filter((type) => !allowed.has(type));
    const what = [
      ...(badTypes.length > 0
        ? [`${plural('type', 'types', badTypes.length)} ${quoted(badTypes)}`]
        : []),
      ...(bad.some((one) => one?.user) ? ['user may not be set'] : []),
      ...(bad.some((one) => one?.role) ? ['role may not be set'] : []),
    ];
    const detail = `${by.join(' and ')} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`;
    return { reason: 'seLinuxOptions', detail };
  };
};

const SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

const seccompAnnotations: CheckPod = (pod) => {
  const annotations = pod.metadata.annotations ?? {};
  const keys = [SECCOMP, ...containersOf(pod).map(({ name }) => `${SECCOMP_CONTAINER}${name}`)];
  const isGood = (value: string): boolean =>
    value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/');
  const bad = keys.flatMap((key) => {
    const value = annotations[key];
    return value === undefined || isGood(value) ? [] : [`${key}=${JSON.stringify(value)}`];
  });
  if (bad.length === 0) return undefined;
  const shown = sorted(bad);
  return {
    reason: 'seccompProfile',
    detail: `forbidden ${plural('annotation', 'annotations', shown.length)} ${shown.join(', ')}`,
  };
};

/** Profiles that are named and neither the runtime's nor one of the node. */
export const seccompProfile: CheckPod = (pod) => {
  const typeOf = (one: Pick<AnyContainer, 'securityContext'>): string | undefined =>
    one.securityContext?.seccompProfile?.type;
  const own = pod.spec.securityContext?.seccompProfile?.type;
  const isBad = (type: string | undefined): boolean => !PROFILES.has(type);
  const containers = badContainers(pod, (one) => isBad(typeOf(one)));
  const by = setters(isBad(own), containers);
  if (by.length === 0) return undefined;
  const types = [own, ...containersOf(pod).map(typeOf)].filter(isBad);
  const values = quoted(sorted(types.map((type) => type ?? '')));
  return {
    reason: 'seccompProfile',
    detail: `${by.join(' and ')} must not set securityContext.seccompProfile.type to ${values}`,
  };
};

const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const SYSCTLS_27 = [...SYSCTLS, 'net.ipv4.ip_local_reserved_ports'];
const SYSCTLS_29 = [
  ...SYSCTLS_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const SYSCTLS_32 = [...SYSCTLS_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

const sysctls =
  (allowed: readonly string[]): CheckPod =>
  ({ spec }) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name);
    const bad = names.filter((name) => !allowed.includes(name));
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
  };

const windowsHostProcess: CheckPod = (pod: CheckedPod) => {
  const by = setters(
    pod.spec.securityContext?.windowsOptions?.hostProcess === true,
    badContainers(pod, (one) => one.securityContext?.windowsOptions?.hostProcess === true),
  );
  if (by.length === 0) return undefined;
  return {
    reason: 'hostProcess',
    detail: `${by.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`,
  };
};

const baseline = (id: string, ...versions: Check['versions']): Check => ({
  id,
  level: 'baseline',
  versions,
});

/** By id, in which order they report (k8s pod-security-admission policy/registry.go). */
export const baselineChecks: readonly Check[] = [
  baseline('appArmorProfile', { since: 0, check: appArmorProfile }),
  baseline('capabilities_baseline', { since: 0, check: capabilities }),
  baseline('hostNamespaces', { since: 0, check: hostNamespaces }),
  baseline('hostPathVolumes', { since: 0, check: hostPathVolumes }),
  baseline('hostPorts', { since: 0, check: hostPorts }),
  baseline('hostProbesAndHostLifecycle', { since: 34, check: hostProbes }),
  baseline('privileged', { since: 0, check: privileged }),
  baseline(
    'procMount',
    { since: 0, check: procMount },
    { since: 35, check: unless(hasUserNamespace, procMount) },
  ),
  baseline(
    'seLinuxOptions',
    { since: 0, check: seLinuxOptions(SELINUX) },
    { since: 31, check: seLinuxOptions([...SELINUX, 'container_engine_t']) },
  ),
  baseline(
    'seccompProfile_baseline',
    { since: 0, check: seccompAnnotations },
    { since: 19, check: seccompProfile },
  ),
  baseline(
    'sysctls',
    { since: 0, check: sysctls(SYSCTLS) },
    { since: 27, check: sysctls(SYSCTLS_27) },
    { since: 29, check: sysctls(SYSCTLS_29) },
    { since: 32, check: sysctls(SYSCTLS_32) },
  ),
  baseline('windowsHostProcess', { since: 0, check: windowsHostProcess }),
];
