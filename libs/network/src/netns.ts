import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ToolError, runTool } from './tool.js';

/** Where ip-netns(8) keeps named network namespaces. */
export const NETNS_FOLDER = '/run/netns';

export const netnsPath = (name: string): string => `${NETNS_FOLDER}/${name}`;

/** Whether a namespace has that name; of one whose machine was started again only an empty file may be left. */
export function netnsExists(name: string, folder: string = NETNS_FOLDER): boolean {
  const found = statSync(join(folder, name), { throwIfNoEntry: false });
  return found !== undefined && found.dev !== statSync(folder).dev;
}

/** Makes a network namespace with its loopback up. */
export async function addNetns(name: string): Promise<string> {
  await runTool('ip', ['netns', 'add', name]);
  await runTool('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  return netnsPath(name);
}

/** Removes the name; the namespace ends with its last process. None is no error. */
export async function deleteNetns(name: string): Promise<void> {
  try {
    await runTool('ip', ['netns', 'delete', name]);
  } catch (error) {
    if (!(error instanceof ToolError) || !/No such file/.test(error.outcome.stderr)) throw error;
  }
}

/** Names of namespaces that begin with `prefix`. */
export async function listNetns(prefix: string): Promise<readonly string[]> {
  const text = await runTool('ip', ['netns', 'list']);
  return text
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name !== '' && name.startsWith(prefix));
}

/** In a container /proc/sys is read-only, which a process with SYS_ADMIN may change in its own mount namespace. */
const MAKE_WRITABLE = 'mount -o remount,rw /proc/sys';

/**
 * Sets kernel parameters of the caller's network, or of a namespace; those that this kernel lacks are left out, and
 * those that are as wanted are not written. Names as in sysctl(8): `net.ipv4.ip_forward`, or with slashes where a part of it
 * holds a dot.
 */
export async function setSysctls(
  values: Readonly<Record<string, string>>,
  netns?: string,
): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    const path = `/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`;
    const write = `echo ${value} > ${path}`;
    const script = `test ! -e ${path} || test "$(cat ${path})" = ${value} || { ${write}; } 2>/dev/null || { ${MAKE_WRITABLE} && ${write}; }`;
    await runTool('sh', ['-c', script], netns === undefined ? {} : { netns });
  }
}

/**
 * Lets addresses of IPv6 be used from the moment a device is up. Duplicate address detection holds even the link-local
 * one for one to two seconds, and a node asks for the neighbours of forwarded packets from no other: pods would be ready
 * before other nodes reach them. Call it before the device comes up, in the caller's network or in `netns`.
 */
export const trustOwnAddresses = (device: string, netns?: string): Promise<void> =>
  setSysctls({ [`net/ipv6/conf/${device}/accept_dad`]: '0' }, netns);
