import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { eventually } from '@orrery/testkit';
import { everyKubectl } from './kubectls.js';
import { BackgroundCommand, shell } from './shell.js';
import type { CommandOptions, CommandResult } from './shell.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const READY_MS = 90_000;
const STOP_MS = 30_000;
const LOG_TAIL_LINES = 15;

export interface KubectlOptions extends CommandOptions {
  /** A minor version such as '1.27'; default: the kubectl on PATH. */
  readonly version?: string;
}

export interface ClusterOptions {
  /** Further flags of `orrery up`. */
  readonly args?: readonly string[];
  /** Default `orrery`. */
  readonly name?: string;
  /** ORRERY_HOME; default: a new temporary folder. */
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
}

type Words = readonly string[];
type KubectlArgs = [...args: string[]] | [...args: string[], options: KubectlOptions];

/** Quotes a word for bash. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

function splitOptions(args: KubectlArgs): [words: Words, options: KubectlOptions] {
  const last = args.at(-1);
  return typeof last === 'object' ? [args.slice(0, -1) as string[], last] : [args as string[], {}];
}

/** Where the bundles are; ORRERY_DIST as for the scripts. */
export const dist = process.env['ORRERY_DIST'] ?? join(ROOT, 'dist');

/** The command line of `orrery` as built. */
export function orreryLine(...args: string[]): string {
  const main = join(dist, 'orrery.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: npm run build`);
  return [process.execPath, '--enable-source-maps', main, ...args].map(quote).join(' ');
}

export const newHome = (): string => mkdtempSync(join(tmpdir(), 'orrery-e2e-'));

/** Processes whose command line, environment or working folder names `home`: `pid command`. */
export function processesOf(home: string): string[] {
  const read = (pid: string, file: string): string => {
    try {
      return file === 'cwd'
        ? readlinkSync(`/proc/${pid}/cwd`)
        : readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => ['cmdline', 'environ', 'cwd'].some((file) => read(pid, file).includes(home)))
    .map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 200)}`);
}

/** A cluster as a user starts it: `orrery up` of the built bundle, in a folder and a 127.C.0.0/16 block of its own. */
export class Cluster {
  readonly home: string;
  readonly name: string;
  private up: BackgroundCommand | undefined;
  private readonly background: BackgroundCommand[] = [];

  constructor(private readonly options: ClusterOptions = {}) {
    this.home = options.home ?? newHome();
    this.name = options.name ?? 'orrery';
  }

  /** The cluster's folder. */
  get dir(): string {
    return join(this.home, this.name);
  }

  get kubeconfig(): string {
    return join(this.dir, 'admin.conf');
  }

  /** C of 127.C.0.0/16. */
  get block(): number {
    const settings = JSON.parse(readFileSync(join(this.dir, 'cluster.json'), 'utf8')) as {
      block: number;
    };
    return settings.block;
  }

  /** What `orrery up` has printed since the last start. */
  get output(): string {
    return this.up?.output ?? '';
  }

  get isRunning(): boolean {
    return this.up?.isRunning ?? false;
  }

  /** A folder for this cluster's test files, removed with the cluster. */
  get scratch(): string {
    const dir = join(this.home, 'scratch');
    mkdirSync(dir, { recursive: true });
    return dir;
  }

  /** Starts it and waits until all nodes are Ready. */
  async start(...flags: string[]): Promise<void> {
    const named = this.options.name === undefined ? [] : ['--name', this.options.name];
    const line = orreryLine('up', ...named, ...(this.options.args ?? []), ...flags);
    const up = new BackgroundCommand(line, {
      env: { ...this.options.env, ORRERY_HOME: this.home },
    });
    this.up = up;
    await eventually(
      () => {
        if (up.output.includes('ready in')) return;
        throw new Error(`${up.isRunning ? 'not ready yet' : 'ended'}: ${line}\n${up.output}`);
      },
      { timeoutMs: READY_MS },
    );
  }

  /** Stops it by the signal, as Ctrl-C does; the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    const { up } = this;
    for (const command of this.background.splice(0)) await command.stop('SIGTERM');
    if (!up) return 0;
    this.up = undefined;
    return up.stop(signal, STOP_MS);
  }

  /** Ends everything and removes the folder. Throws when a process is left, after killing it. */
  async destroy(): Promise<void> {
    await this.stop();
    try {
      await eventually(
        () => {
          const left = processesOf(this.home);
          if (left.length > 0) throw new Error(`processes left behind:\n${left.join('\n')}`);
        },
        { timeoutMs: 3000 },
      );
    } finally {
      for (const line of processesOf(this.home)) process.kill(parseInt(line, 10), 'SIGKILL');
      rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** `kubectl WORDS…`; options, if any, last. */
  async kubectl(...args: KubectlArgs): Promise<CommandResult> {
    const [words, options] = splitOptions(args);
    return this.shell(`kubectl ${words.map(quote).join(' ')}`, options);
  }

  /** A line of bash with this cluster's KUBECONFIG, and `kubectl` being the version asked for. */
  async shell(line: string, options: KubectlOptions = {}): Promise<CommandResult> {
    return shell(line, { ...options, env: this.environment(options) });
  }

  /** What a line of bash prints on standard output. */
  async run(line: string, options: KubectlOptions = {}): Promise<string> {
    return (await this.shell(line, options)).stdout;
  }

  /** What a line of bash that must fail prints on standard error. */
  async refusal(line: string, options: KubectlOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.shell(line, { ...options, allowFailure: true });
    if (code === 0) throw new Error(`$ ${line}\nsucceeded:\n${stdout}`);
    return stderr;
  }

  /** A line of bash that goes on beside the test; it is stopped with the cluster. */
  shellBackground(line: string, options: KubectlOptions = {}): BackgroundCommand {
    const command = new BackgroundCommand(line, { ...options, env: this.environment(options) });
    this.background.push(command);
    return command;
  }

  kubectlBackground(...args: KubectlArgs): BackgroundCommand {
    const [words, options] = splitOptions(args);
    return this.shellBackground(`kubectl ${words.map(quote).join(' ')}`, options);
  }

  /** The same on a terminal: what is written to it is typed, `output` is what the screen got. */
  kubectlPty(...args: KubectlArgs): BackgroundCommand {
    const [words, options] = splitOptions(args);
    return this.shellPty(`kubectl ${words.map(quote).join(' ')}`, options);
  }

  shellPty(line: string, options: KubectlOptions = {}): BackgroundCommand {
    return this.shellBackground(`script -qefc ${quote(line)} /dev/null`, options);
  }

  /** `orrery WORDS…` for this cluster. */
  async orrery(...args: KubectlArgs): Promise<CommandResult> {
    const [words, options] = splitOptions(args);
    const named = this.options.name === undefined ? [] : ['--name', this.options.name];
    return this.shell(orreryLine(...words, ...named), options);
  }

  /** The end of every component's log. */
  logs(lines = LOG_TAIL_LINES): string {
    const dir = join(this.dir, 'logs');
    if (!existsSync(dir)) return '';
    const tail = (file: string): string =>
      readFileSync(join(dir, file), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    return readdirSync(dir)
      .map((file) => `--- ${file}\n${tail(file)}`)
      .join('\n');
  }

  private environment({ env, version }: KubectlOptions): Record<string, string> {
    const path = process.env['PATH'] ?? '';
    return {
      PATH: version === undefined ? path : `${this.folderOf(version)}${delimiter}${path}`,
      KUBECONFIG: this.kubeconfig,
      ORRERY_HOME: this.home,
      HOME: this.home,
      ...env,
    };
  }

  /** A folder in which `kubectl` is the given version. */
  private folderOf(version: string): string {
    const dir = join(this.home, `kubectl-${version}`);
    const binary = everyKubectl().find((found) => found.version === version);
    if (!binary) throw new Error(`no kubectl ${version} on this machine`);
    if (!existsSync(dir)) {
      mkdirSync(dir);
      symlinkSync(binary.path, join(dir, 'kubectl'));
    }
    return dir;
  }
}
