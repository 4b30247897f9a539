import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CriError } from '@orrery/cri';
import type { Mount } from '@orrery/cri';
import { insideNetns } from '@orrery/network';
import type { ImageFile } from '../catalog/image-definitions.js';
import { hostPathIn } from '../programs/program-job.js';
import type { CgroupView } from './cgroup.js';
import { executableExists } from './executable.js';
import { writeImageFiles } from './image-files.js';
import { findTool, joinFlags, unshareFlags } from './isolation.js';
import type { Isolation } from './isolation.js';
import { hasRoot } from './proc-stat.js';
import { propagationOf } from './propagation.js';
import { createRootfs, enterScript, joinScript } from './rootfs.js';
import type { RootfsOptions } from './rootfs.js';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What every command of a container shares: its root, volumes, environment and user. */
export interface EnvironmentOptions extends RootfsOptions {
  readonly rootfs: string;
  readonly isolation: Isolation;
  readonly env: Readonly<Record<string, string>>;
  /** What the image holds beside what every container has. */
  readonly files?: readonly ImageFile[];
  readonly workingDir: string;
  /** Path of the pod's network namespace; undefined where it shares the node's. */
  readonly netns: string | undefined;
  /** Files into which each process writes its id, so that the container's limits hold for it. */
  readonly memberFiles?: readonly string[];
  /** What it sees of its control group, instead of those of the machine. */
  readonly cgroups?: readonly CgroupView[];
  /** Settings of the kernel that hold in an IPC namespace; with any, the container has one of its own. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** `uid:gid` from the security context. */
  readonly user: string | undefined;
  /** Whether nothing but volumes can be written. */
  readonly readonlyRoot?: boolean;
  /** Supplementary groups, with the pod's fsGroup. */
  readonly groups?: readonly number[];
  /** setpriv(1) with its flags, where a command shall have less than all privileges. */
  confine?(): readonly string[];
}

/** A host process as spawn(2) wants it. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The root that it has once it is set up; undefined where it keeps that of the machine. */
  readonly root?: string;
}

/** One after the other: Node's own recursion never ends below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    if (lstatSync(path, { throwIfNoEntry: false })) return;
    mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const text = `failed to generate container spec: failed to mkdir "${path}": ${why}`;
    throw new CriError('UNKNOWN', text, { cause: error });
  }
}

/** Turns a container's argv into a host process that sees the container's files. */
export class ContainerEnvironment {
  readonly env: Readonly<Record<string, string>>;

  constructor(readonly options: EnvironmentOptions) {
    this.env = { PATH: DEFAULT_PATH, HOSTNAME: options.hostname, HOME: '/root', ...options.env };
  }

  /** Makes the root folder, once, and as containerd the host's folders of volumes that are not there. */
  prepare(): void {
    for (const { hostPath } of this.options.mounts) makeFolder(hostPath);
    if (existsSync(this.options.rootfs)) return;
    try {
      if (this.options.isolation === 'none') this.linkVolumes();
      else createRootfs(this.options.rootfs, this.options);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  private linkVolumes(): void {
    const { rootfs, mounts, files = [] } = this.options;
    mkdirSync(rootfs, { recursive: true });
    writeImageFiles(rootfs, files);
    for (const mount of mounts) {
      const path = join(rootfs, mount.containerPath);
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true, recursive: true });
      symlinkSync(mount.hostPath, path);
    }
  }

  remove(): void {
    rmSync(this.options.rootfs, { recursive: true, force: true });
  }

  /** The host's path of one of the container's volumes, the deepest that holds `path`. */
  hostPathOf(path: string): string | undefined {
    const { rootfs, files = [], mounts } = this.options;
    return hostPathIn({ mounts, rootfs, files: files.map((file) => file.path) }, path);
  }

  private mountOf(path: string): Mount | undefined {
    return this.options.mounts
      .filter(({ containerPath }) => path === containerPath || path.startsWith(`${containerPath}/`))
      .sort((a, b) => b.containerPath.length - a.containerPath.length)[0];
  }

  /** The image's file that a command's first word means; its tools are in /bin too, where the machine has none. */
  private fileOf(name: string): ImageFile | undefined {
    const tool = /^\/s?bin\/([^/]+)$/.exec(name)?.[1];
    const names = [name, `/usr/local/bin/${name}`];
    if (tool && !executableExists(name, '')) names.push(`/usr/local/bin/${tool}`);
    return this.options.files?.find(
      ({ path, mode }) => (mode & 0o111) !== 0 && names.includes(path),
    );
  }

  /** Refuses what runc would refuse: a program that is not there. */
  check(argv: readonly string[]): void {
    const [name = ''] = argv;
    if (this.fileOf(name) || this.mountOf(name)) return;
    if (executableExists(name, this.env['PATH'] ?? DEFAULT_PATH)) return;
    if (name.startsWith('/') && executableExists(join(this.options.rootfs, name), '')) return;
    const why = name.includes('/')
      ? `stat ${name}: no such file or directory`
      : 'executable file not found in $PATH';
    throw new CriError('UNKNOWN', `exec: "${name}": ${why}`);
  }

  /** `beside`: the process id of the container's own command, where there is one, whose namespaces are entered. */
  launch(argv: readonly string[], beside = 0): Launch {
    return this.limited(
      this.inNetwork(
        this.options.isolation === 'none'
          ? this.launchPlain(argv)
          : this.launchIsolated(argv, this.options.isolation, beside),
      ),
    );
  }

  /** The same process as a member of the container's control group, with everything that it starts. */
  private limited(launch: Launch): Launch {
    const { memberFiles = [] } = this.options;
    if (memberFiles.length === 0) return launch;
    const join = memberFiles.map((file) => `echo $$ > ${file} 2>/dev/null`).join('; ');
    return {
      ...launch,
      file: '/bin/sh',
      args: ['-c', `${join}; exec "$@"`, 'sh', launch.file, ...launch.args],
    };
  }

  /** The same process inside the pod's network namespace. */
  inNetwork(launch: Launch): Launch {
    const { netns } = this.options;
    return netns === undefined
      ? launch
      : { ...launch, ...insideNetns(netns, launch.file, launch.args) };
  }

  private launchIsolated(
    argv: readonly string[],
    isolation: 'root' | 'user',
    beside: number,
  ): Launch {
    const tool = (name: string): string => findTool(name) ?? name;
    const nsenter = findTool('nsenter');
    const joined = nsenter !== undefined && hasRoot(beside, this.options.rootfs);
    const script = (joined ? joinScript : enterScript)({
      ...this.options,
      tools: { mount: tool('mount'), chroot: tool('chroot'), hostname: findTool('hostname') },
      user: isolation === 'root' ? this.options.user : undefined,
      confine: this.options.confine?.() ?? [],
    });
    const [first = '', ...rest] = argv;
    const words = [this.fileOf(first)?.path ?? first, ...rest];
    const args = ['/bin/sh', '-c', script, 'sh', ...this.withOddNames(words)];
    const ipc = Object.keys(this.options.sysctls ?? {}).length > 0 ? ['--ipc'] : [];
    const flags = [...unshareFlags(isolation, propagationOf(this.options.mounts)), ...ipc];
    const shared = { env: this.env, cwd: '/', root: this.options.rootfs };
    return joined
      ? { file: nsenter, args: [...joinFlags(isolation, beside), ...ipc, ...args], ...shared }
      : { file: tool('unshare'), args: [...flags, ...args], ...shared };
  }

  /**
   * The shells on the way drop variables whose names are none of theirs, such as `a-b`: env(1) sets them at the end. A
   * command that is a shell itself has them in what it starts, as that of busybox does: bash(1), where it is there.
   */
  private withOddNames(argv: readonly string[]): readonly string[] {
    const odd = Object.entries(this.env).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name));
    if (odd.length === 0) return argv;
    const [first = '', ...rest] = argv;
    const bash = ['sh', '/bin/sh'].includes(first) ? findTool('bash') : undefined;
    const words = bash ? [bash, '--posix', ...rest] : argv;
    return ['/usr/bin/env', '--', ...odd.map(([name, value]) => `${name}=${value}`), ...words];
  }

  private launchPlain(argv: readonly string[]): Launch {
    const { rootfs, workingDir } = this.options;
    const [first = '', ...rest] = argv;
    const ours = this.fileOf(first);
    const words = [ours?.path ?? first, ...rest].map((arg) =>
      this.mountOf(arg) || arg === ours?.path ? join(rootfs, arg) : arg,
    );
    const whole = [...(this.options.confine?.() ?? []), ...this.withOddNames(words)];
    const [file = '', ...args] = whole;
    const cwd = join(rootfs, workingDir || '/');
    mkdirSync(cwd, { recursive: true });
    return { file, args, env: { ...this.env, ORRERY_ROOTFS: rootfs }, cwd };
  }
}
