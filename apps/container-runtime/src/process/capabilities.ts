/** By number (linux/capability.h), as pods name them. */
const CAPABILITIES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

/** What a container has that asks for nothing (containerd pkg/oci:defaultUnixCaps). */
const DEFAULTS = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL ' +
  'AUDIT_WRITE'
).split(' ');

export interface CapabilityChange {
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/**
 * The numbers of the capabilities that a container without privileges may have. A capability that is named counts more
 * than `ALL`; names that nobody knows change nothing, as with runc.
 */
export function capabilitiesOf({ add, drop }: CapabilityChange): readonly number[] {
  const [adding, dropping] = [add, drop].map((names) => names.map((name) => name.toUpperCase()));
  const basis = adding?.includes('ALL') ? CAPABILITIES : DEFAULTS;
  const kept = new Set(dropping?.includes('ALL') ? [] : basis);
  for (const name of adding ?? []) kept.add(name);
  for (const name of dropping ?? []) kept.delete(name);
  return CAPABILITIES.flatMap((name, number) => (kept.has(name) ? [number] : []));
}
