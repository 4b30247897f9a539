import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { connectCri } from '@orrery/cri';
import { eventually } from '@orrery/testkit';

const TOOLS = ['containerd', 'ctr', 'runc', 'tar', 'ldd'] as const;
/** What the image holds, besides the libraries that these need. */
const PROGRAMS = ['sh', 'cat', 'sleep', 'ls', 'echo', 'head', 'kill'] as const;

const text = (file: string, ...args: string[]): string =>
  execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const SYSTEM_FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];

function find(tool: string): string | undefined {
  // PATH first, as containerd finds its shim there: another release of it is tried by a PATH that begins with its folder.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, tool)).find((path) => existsSync(path));
}

/** Why containerd cannot run here; '' when it can. */
export function whyNot(): string {
  if (process.getuid?.() !== 0) return 'containerd needs root';
  const missing = TOOLS.filter((tool) => find(tool) === undefined);
  return missing.length > 0 ? `not installed: ${missing.join(', ')}` : '';
}

/** A CNI plugin that gives each pod a network namespace and an address, and moves no packet. */
const CNI_PLUGIN = `#!/bin/sh
case $CNI_COMMAND in
ADD)
  cat > /dev/null
  number=$(cat "$0.next" 2> /dev/null || echo 2)
  echo $((number + 1)) > "$0.next"
  echo '{"cniVersion":"0.4.0","interfaces":[{"name":"eth0","sandbox":"'$CNI_NETNS'"}],"ips":[{"version":"4","address":"10.99.0.'$number'/24","interface":0}]}'
  ;;
VERSION) echo '{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0"]}' ;;
*) cat > /dev/null ;;
esac
`;

const CNI_CONFIG = JSON.stringify({
  cniVersion: '0.4.0',
  name: 'still',
  plugins: [{ type: 'still' }],
});

const configOf = (folder: string, streamAddress: string): string => `version = 2
root = "${folder}/root"
state = "${folder}/state"
[grpc]
  address = "${folder}/containerd.sock"
[ttrpc]
  address = "${folder}/containerd.sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "orrery.test/tools:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  stream_server_address = "${streamAddress}"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${folder}/cni-bin"
    conf_dir = "${folder}/cni-conf"
`;

/** A containerd of our own: its root, state, socket, network plugin and image below one folder. */
export class Containerd {
  private process: ChildProcess | undefined;

  constructor(
    readonly folder: string,
    private readonly streamAddress: string,
  ) {}

  get socket(): string {
    return join(this.folder, 'containerd.sock');
  }

  async start(): Promise<void> {
    for (const name of ['cni-bin', 'cni-conf'])
      mkdirSync(join(this.folder, name), { recursive: true });
    // containerd asks for a plugin called loopback beside the configured one.
    for (const name of ['still', 'loopback']) {
      writeFileSync(join(this.folder, 'cni-bin', name), CNI_PLUGIN);
      chmodSync(join(this.folder, 'cni-bin', name), 0o755);
    }
    writeFileSync(join(this.folder, 'cni-conf', '10-still.conflist'), CNI_CONFIG);
    writeFileSync(join(this.folder, 'config.toml'), configOf(this.folder, this.streamAddress));
    const log = openSync(join(this.folder, 'containerd.log'), 'a');
    this.process = spawn(find('containerd') ?? '', ['-c', join(this.folder, 'config.toml')], {
      stdio: ['ignore', log, log],
    });
    await eventually(() => this.ctr('version'), { timeoutMs: 120_000 });
    this.importImage();
  }

  /** Pods are ended first: their shims and mounts outlive containerd. */
  async stop(): Promise<void> {
    const { process: own } = this;
    if (!own) return;
    const cri = connectCri(`unix://${this.socket}`);
    const { items } = await cri.runtime.listPodSandbox({});
    for (const { id: podSandboxId } of items) {
      await cri.runtime.stopPodSandbox({ podSandboxId });
      await cri.runtime.removePodSandbox({ podSandboxId });
    }
    cri.close();
    const exited = new Promise((resolve) => own.once('exit', resolve));
    own.kill('SIGTERM');
    await exited;
    this.process = undefined;
  }

  /** Of the container's first process. */
  pidOf(id: string): number {
    const line = this.ctr('tasks', 'ls')
      .split('\n')
      .find((one) => one.startsWith(id));
    const pid = Number(line?.split(/\s+/)[1]);
    if (!(pid > 1)) throw new Error(`container ${id} has no process`);
    return pid;
  }

  /** Ids of containers and sandboxes of the pods of that name. */
  containersOf(pod: string): string {
    return this.ctr('containers', 'ls', '-q', `labels."io.kubernetes.pod.name"==${pod}`).trim();
  }

  ctr(...args: string[]): string {
    return text(find('ctr') ?? 'ctr', '--address', this.socket, '--namespace', 'k8s.io', ...args);
  }

  /** An image of this machine's own programs, made on the spot: no registry is asked. */
  private importImage(): void {
    const rootfs = join(this.folder, 'rootfs');
    const copy = (from: string, to: string): void => {
      mkdirSync(dirname(join(rootfs, to)), { recursive: true });
      cpSync(realpathSync(from), join(rootfs, to));
    };
    const programs = PROGRAMS.flatMap((name) => find(name) ?? []);
    for (const program of programs) {
      copy(program, join('/bin', program.slice(program.lastIndexOf('/') + 1)));
      for (const library of text('ldd', program).match(/\/\S+/g) ?? []) copy(library, library);
    }
    for (const name of ['tmp', 'etc', 'proc', 'sys', 'dev'])
      mkdirSync(join(rootfs, name), { recursive: true });
    const image = join(this.folder, 'image');
    mkdirSync(image);
    text('tar', '-cf', join(image, 'layer.tar'), '-C', rootfs, '.');
    const digest = createHash('sha256')
      .update(readFileSync(join(image, 'layer.tar')))
      .digest('hex');
    const config = {
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      // As the sandbox's own image it must stay until it is told to go.
      config: { Env: ['PATH=/bin'], Cmd: ['/bin/sleep', '1000000'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    };
    const manifest = [
      { Config: 'config.json', RepoTags: ['orrery.test/tools:1'], Layers: ['layer.tar'] },
    ];
    writeFileSync(join(image, 'config.json'), JSON.stringify(config));
    writeFileSync(join(image, 'manifest.json'), JSON.stringify(manifest));
    text('tar', '-cf', join(this.folder, 'image.tar'), '-C', image, '.');
    this.ctr('images', 'import', join(this.folder, 'image.tar'));
  }
}
