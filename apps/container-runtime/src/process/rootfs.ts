import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mount } from '@orrery/cri';
import type { ImageFile } from '../catalog/image-definitions.js';
import type { CgroupView } from './cgroup.js';
import { writeImageFiles } from './image-files.js';
import { passesOn, propagationOf, stageOf } from './propagation.js';

/** Below this the root of a container sees the host's system folders, read-only; the rest are links into it. */
const HOST = '/.host';

/** Shared with the host, read-only (but /dev and /proc, which are devices and the kernel's). */
export const SYSTEM_FOLDERS = ['/usr', '/etc', '/opt', '/sys', '/dev', '/proc'] as const;
const LINKED = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'] as const;
const OWN = [
  '/tmp',
  '/root',
  '/home',
  '/run',
  '/var',
  '/var/tmp',
  '/var/log',
  '/var/run',
  '/mnt',
  '/srv',
];

export interface RootfsOptions {
  readonly hostname: string;
  readonly ip: string;
  readonly mounts: readonly Mount[];
  readonly files?: readonly ImageFile[];
  readonly dns: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
}

/** A folder of the container at `path`: instead of a link to the host's, one of its own with links to each entry. */
function ownFolder(rootfs: string, path: string): void {
  if (path === '/' || path === '.') return;
  ownFolder(rootfs, dirname(path));
  const here = join(rootfs, path);
  const state = lstatSync(here, { throwIfNoEntry: false });
  if (state?.isDirectory()) return;
  const target = state?.isSymbolicLink() ? readlinkSync(here) : undefined;
  if (state) rmSync(here);
  mkdirSync(here);
  const source = target?.startsWith(HOST) ? target.slice(HOST.length) : undefined;
  if (!source || !statSync(source, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const name of readdirSync(source)) symlinkSync(join(HOST, source, name), join(here, name));
}

/** A place for a bind mount: a folder or an empty file of the container's own. */
function mountPoint(rootfs: string, path: string, isFolder: boolean): void {
  ownFolder(rootfs, isFolder ? path : dirname(path));
  if (isFolder) return;
  const here = join(rootfs, path);
  if (lstatSync(here, { throwIfNoEntry: false })) rmSync(here, { recursive: true });
  writeFileSync(here, '');
}

function ownFile(rootfs: string, path: string, text: string): void {
  mountPoint(rootfs, path, false);
  writeFileSync(join(rootfs, path), text);
}

/** Where the pod's address is a loopback address it is also its containers' localhost. */
function hosts({ ip, hostname }: RootfsOptions): string {
  const localhost = ip.startsWith('127.') ? ip : '127.0.0.1';
  return `${localhost}\tlocalhost\n::1\tip6-localhost ip6-loopback\n${ip}\t${hostname}\n`;
}

function resolvConf({ dns }: RootfsOptions): string {
  const lines = dns.servers.map((server) => `nameserver ${server}`);
  if (dns.searches.length > 0) lines.push(`search ${dns.searches.join(' ')}`);
  if (dns.options.length > 0) lines.push(`options ${dns.options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true;

/** Makes the root folder of a container, once; mounts happen later, in the namespace of each command. */
export function createRootfs(rootfs: string, options: RootfsOptions): void {
  mkdirSync(rootfs, { recursive: true });
  mkdirSync(join(rootfs, HOST));
  for (const path of SYSTEM_FOLDERS) {
    if (!existsSync(path)) continue;
    mkdirSync(join(rootfs, HOST, path));
    if (path === '/proc') mkdirSync(join(rootfs, path));
    else symlinkSync(HOST + path, join(rootfs, path));
  }
  for (const path of LINKED) {
    const state = lstatSync(path, { throwIfNoEntry: false });
    if (state?.isSymbolicLink()) symlinkSync(readlinkSync(path), join(rootfs, path));
    else if (state) {
      mkdirSync(join(rootfs, HOST, path));
      symlinkSync(HOST + path, join(rootfs, path));
    }
  }
  for (const path of OWN) mkdirSync(join(rootfs, path), { recursive: true });
  for (const path of ['/tmp', '/var/tmp']) chmodSync(join(rootfs, path), 0o1777);
  ownFile(rootfs, '/etc/hostname', `${options.hostname}\n`);
  ownFile(rootfs, '/etc/hosts', hosts(options));
  ownFile(rootfs, '/etc/resolv.conf', resolvConf(options));
  for (const { path, text } of options.files ?? []) mountPoint(rootfs, path, text === undefined);
  writeImageFiles(rootfs, options.files ?? []);
  for (const mount of options.mounts)
    mountPoint(rootfs, mount.containerPath, isFolder(mount.hostPath));
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** In a user namespace only the system call works, by hostname(1); without that tool the host's name stays. */
function setHostname({ hostname, tools }: EnterOptions): string {
  const write = `{ echo ${quote(hostname)} > /proc/sys/kernel/hostname; } 2>/dev/null`;
  return tools.hostname === undefined
    ? write
    : `${tools.hostname} ${quote(hostname)} 2>/dev/null || ${write}`;
}

export interface EnterOptions {
  readonly rootfs: string;
  readonly hostname: string;
  readonly mounts: readonly Mount[];
  readonly workingDir: string;
  readonly tools: {
    readonly mount: string;
    readonly chroot: string;
    readonly hostname: string | undefined;
  };
  /** `uid:gid`, or undefined for the runtime's own user. */
  readonly user: string | undefined;
  /** Nothing but volumes can be written. */
  readonly readonlyRoot?: boolean;
  /** What the container sees of its control group. */
  readonly cgroups?: readonly CgroupView[];
  /** Settings of the container's own IPC namespace. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Further groups of that user. */
  readonly groups?: readonly number[];
  /** setpriv(1) with its flags, where the command shall have less than all privileges. */
  readonly confine?: readonly string[];
}

/** The command that changes the root and the user: setpriv needs the privileges of the user that it leaves. */
function chrootCommand({ tools, rootfs, user, groups = [], confine = [] }: EnterOptions): string {
  if (confine.length === 0) {
    const list = groups.length === 0 ? '' : `--groups=${groups.join()} `;
    return `${tools.chroot} ${user === undefined ? '' : `--userspec=${user} ${list}`}${quote(rootfs)}`;
  }
  const [uid = '', gid = ''] = user?.split(':') ?? [];
  const ids = `--reuid=${uid} --regid=${gid} --groups=${[gid, ...groups].join()}`;
  return [tools.chroot, quote(rootfs), ...confine, ...(user === undefined ? [] : [ids])].join(' ');
}

/** The shell script that, run in the namespaces of a container's own command, becomes another one in its root. */
export function joinScript(options: EnterOptions): string {
  const { workingDir } = options;
  const become = `cd ${quote(workingDir || '/')} 2>/dev/null || { echo ${quote(`chdir to cwd ("${workingDir}") set in config.json failed: no such file or directory`)} >&2; exit 126; }; exec "$@"`;
  return `exec ${chrootCommand(options)} /bin/sh -c ${quote(become)} sh "$@"`;
}

/** Takes away the right to write from every mount below a volume: as a bind mount it does so at the volume's top alone. */
const readonlyBelow = (quoted: string, { mount }: EnterOptions['tools']): string =>
  `cut -d' ' -f5 /proc/self/mountinfo | while read -r at; do case "$at" in ${quoted}/*) ${mount} -o remount,bind,ro "$(printf '%b' "$at")" || exit 125;; esac; done || exit 125`;

type Bind = (source: string, target: string, readonly: boolean) => string[];

/** The machine's folders: none of their mounts is passed on to it. */
function systemMounts(bind: Bind, { rootfs, tools }: EnterOptions, passes: boolean): string[] {
  return [
    ...[...SYSTEM_FOLDERS, ...LINKED]
      .filter((path) => existsSync(path) && !lstatSync(path).isSymbolicLink())
      .flatMap((path) => bind(path, HOST + path, path !== '/dev' && path !== '/proc')),
    `${tools.mount} --rbind /proc ${quote(join(rootfs, '/proc'))} || exit 125`,
    ...(passes ? [`${tools.mount} --make-rprivate ${quote(rootfs)} || exit 125`] : []),
  ];
}

const setSysctls = ({ sysctls = {} }: EnterOptions): string[] =>
  Object.entries(sysctls).map(
    ([name, value]) =>
      `printf %s ${quote(value)} > ${quote(`/proc/sys/${name.replaceAll('.', '/')}`)} || exit 125`,
  );

/** The container's own control group where those of the machine would be; not where that has none. */
function ownCgroup({ cgroups = [], rootfs, tools }: EnterOptions): string[] {
  return cgroups.map(({ folder, at }) => {
    const [source, target] = [quote(folder), quote(join(rootfs, HOST, at))];
    const steps = [
      `[ -d ${source} ]`,
      `${tools.mount} --bind ${source} ${target}`,
      `${tools.mount} -o remount,bind,ro ${target}`,
    ];
    return `{ ${steps.join(' && ')}; } 2>/dev/null`;
  });
}

/**
 * The shell script that, run in fresh namespaces with a command as its arguments, builds the mounts and becomes that
 * command in the container's root. Its mounts end with the namespace.
 */
export function enterScript(options: EnterOptions): string {
  const { rootfs, tools, mounts, readonlyRoot } = options;
  const inside = (target: string): string => quote(join(rootfs, target));
  const remount = (target: string): string =>
    `${tools.mount} -o remount,bind,ro ${inside(target)} 2>/dev/null`;
  const bind: Bind = (source, target, readonly) => [
    `${tools.mount} --rbind ${quote(source)} ${inside(target)} || exit 125`,
    ...(readonly ? [remount(target)] : []),
  ];
  const passes = propagationOf(mounts) !== 'private';
  const stage = passes ? stageOf({ rootfs, mounts, mount: tools.mount, quote }) : undefined;
  const volume = (mount: Mount): string[] => {
    const { hostPath, containerPath, readonly } = mount;
    if (stage && passesOn(mount))
      return [
        ...stage.place(mount, inside(containerPath)),
        ...(readonly ? [remount(containerPath)] : []),
      ];
    const everyMount = mount.recursiveReadOnly ? [readonlyBelow(inside(containerPath), tools)] : [];
    const apart = `${tools.mount} --make-rprivate ${inside(containerPath)} || exit 125`;
    return [...bind(hostPath, containerPath, readonly), ...everyMount, ...(stage ? [apart] : [])];
  };
  const selfBind = `${tools.mount} --bind ${quote(rootfs)} ${quote(rootfs)} || exit 125`;
  return [
    setHostname(options),
    ...setSysctls(options),
    ...(stage?.first ?? (readonlyRoot ? [selfBind] : [])),
    ...systemMounts(bind, options, passes),
    ...ownCgroup(options),
    ...[...mounts].sort((a, b) => a.containerPath.length - b.containerPath.length).flatMap(volume),
    ...(stage?.last ?? []),
    ...(readonlyRoot ? [`${tools.mount} -o remount,bind,ro ${quote(rootfs)} || exit 125`] : []),
    joinScript(options),
  ].join('\n');
}
