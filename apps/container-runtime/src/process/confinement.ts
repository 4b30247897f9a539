import { execFileSync } from 'node:child_process';
import { capabilitiesOf } from './capabilities.js';
import type { CapabilityChange } from './capabilities.js';
import { UNSHARE_FLAGS, findTool } from './isolation.js';
import type { Isolation } from './isolation.js';

/** What a container's processes may not do, from its security context. */
export interface Confinement {
  /** setpriv(1); without it a process has the runtime's own privileges. */
  readonly setpriv: string | undefined;
  /** Whether it can take capabilities away here. */
  readonly canDrop: boolean;
}

export interface Privileges {
  readonly privileged: boolean;
  readonly noNewPrivileges: boolean;
  readonly capabilities: CapabilityChange;
}

/** Tries what setpriv(1) may do here: that of busybox, or without CAP_SETPCAP, cannot take capabilities away. */
export function probeConfinement(isolation: Isolation): Confinement {
  const setpriv = findTool('setpriv');
  if (!setpriv) return { setpriv, canDrop: false };
  const works = (flag: string): boolean => {
    const argv = [setpriv, flag, '/bin/true'];
    const [file = '', ...args] =
      isolation === 'none' ? argv : ['unshare', ...UNSHARE_FLAGS[isolation], ...argv];
    try {
      execFileSync(file, args, { stdio: 'ignore', timeout: 5_000 });
      return true;
    } catch {
      return false;
    }
  };
  const canDrop = works('--bounding-set=-all');
  return { setpriv: canDrop || works('--no-new-privs') ? setpriv : undefined, canDrop };
}

/** The command line before one that shall have no more than these privileges; empty when it has all. */
export function confine(
  { setpriv, canDrop }: Confinement,
  { privileged, noNewPrivileges, capabilities }: Privileges,
): readonly string[] {
  if (setpriv === undefined) return [];
  const kept = capabilitiesOf(capabilities).map((number) => `,+cap_${number}`);
  const flags = [
    ...(canDrop && !privileged
      ? [`--bounding-set=-all${kept.join('')}`, '--inh-caps=-all', '--ambient-caps=-all']
      : []),
    ...(noNewPrivileges ? ['--no-new-privs'] : []),
  ];
  return flags.length === 0 ? [] : [setpriv, ...flags];
}
