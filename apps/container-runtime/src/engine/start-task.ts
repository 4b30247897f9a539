import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@orrery/component';
import { CriError } from '@orrery/cri';
import type { Catalog, ProgramName } from '../catalog/catalog.js';
import type { ImageDefinition } from '../catalog/image-definitions.js';
import { parseReference } from '../catalog/reference.js';
import { adoptProcess } from '../process/adopted-task.js';
import type { ContainerEnvironment } from '../process/environment.js';
import { ProcessTask } from '../process/process-task.js';
import { startTerminalTask } from '../process/terminal.js';
import type { ProgramContext } from '../programs/program.js';
import { encodeJob } from '../programs/program-job.js';
import type { ProgramJob } from '../programs/program-job.js';
import { startProgram } from '../programs/program-task.js';
import { OWN_COMMANDS, PROGRAMS } from '../programs/programs.js';
import type { ContainerRecord } from '../store/container.js';
import type { SandboxRecord } from '../store/sandbox.js';
import { declaredPorts } from './declared-ports.js';
import type { LiveContainer } from './live-container.js';
import type { Script } from './script.js';
import type { Task } from './task.js';

/** Pod annotation of a static pod whose process somebody else runs. */
export const PROCESS_ANNOTATION = 'orrery.dev/process';

export interface StartTaskOptions {
  readonly record: ContainerRecord;
  readonly sandbox: SandboxRecord;
  readonly environment: ContainerEnvironment;
  readonly live: LiveContainer;
  readonly script: Script;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly node: string;
  /** Of the container, for pipes and its root. */
  readonly folder: string;
  readonly componentDir: string;
  readonly adoptDir: string;
  readonly endedProcesses: ReadonlySet<string>;
}

/** What a container's image and command line come to. */
type Plan =
  | { readonly kind: 'adopt'; readonly name: string }
  | { readonly kind: 'program'; readonly program: ProgramName }
  | { readonly kind: 'component'; readonly args: readonly string[] }
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  | { readonly kind: 'nothing' };

export function planOf(record: ContainerRecord, sandbox: SandboxRecord, catalog: Catalog): Plan {
  const name = sandbox.config.annotations[PROCESS_ANNOTATION];
  if (name) return { kind: 'adopt', name };
  const { command, args } = record.config;
  const own = catalog.commandOf(record.image);
  if (own.length > 0 && command.length === 0) return { kind: 'command', argv: [...own, ...args] };
  const definition = catalog.definitionOf(record.image);
  if (definition) return planOfDefinition(definition, command, args);
  const program = catalog.programOf(record.image);
  if (program === 'kube-proxy') return { kind: 'component', args: [...command.slice(1), ...args] };
  if (program === 'shell') {
    const argv =
      command.length === 0 && args.length === 0 ? idleArgv(record) : [...command, ...args];
    return argv.length === 0 ? { kind: 'nothing' } : { kind: 'command', argv };
  }
  const [first] = command;
  const basename = first?.slice(first.lastIndexOf('/') + 1) ?? '';
  if (first === undefined || OWN_COMMANDS[program]?.includes(basename))
    return { kind: 'program', program };
  return { kind: 'command', argv: [...command, ...args] };
}

/** As a container runtime merges an image's entry point and command with those of the pod. */
function planOfDefinition(
  { entrypoint, cmd }: ImageDefinition,
  command: readonly string[],
  args: readonly string[],
): Plan {
  const rest = args.length === 0 && command.length === 0 ? cmd : args;
  const argv = [...(command.length === 0 ? entrypoint : command), ...rest];
  if (argv.length === 2 && argv[0] === '/agnhost' && argv[1] === 'pause')
    return { kind: 'program', program: 'agnhost' };
  return argv.length === 0 ? { kind: 'nothing' } : { kind: 'command', argv };
}

/** Whether the plan comes to a process of ours that can outlive the runtime. */
export const isProcess = ({ kind }: Plan, netns: string | undefined): boolean =>
  kind === 'command' || kind === 'component' || (kind === 'program' && netns !== undefined);

/** An image's shell reads commands where there is somebody to type them, and else ends at once. */
function idleArgv({ config }: ContainerRecord): readonly string[] {
  return config.stdin || config.tty ? ['sh'] : [];
}

function factsOf(options: StartTaskOptions): ProgramJob['context'] {
  const { record, sandbox } = options;
  const { config } = sandbox;
  return {
    ip: sandbox.ip,
    listen: sandbox.ip,
    pod: config.metadata?.name ?? '',
    namespace: config.metadata?.namespace ?? '',
    node: options.node,
    container: record.config.metadata?.name ?? '',
    image: record.image,
    tag: parseReference(record.image)?.tag ?? 'latest',
    ports: declaredPorts(record.config, config),
    env: options.environment.options.env,
    failEvery: options.script.failEvery,
  };
}

function contextOf(options: StartTaskOptions): ProgramContext {
  const { live, environment, clock } = options;
  return {
    ...factsOf(options),
    ...(options.sandbox.moreIps && { moreListen: options.sandbox.moreIps }),
    clock,
    log: (stream, line) => {
      live.output(stream, Buffer.from(`${line}\n`));
    },
    hostPathOf: (path) => environment.hostPathOf(path),
  };
}

async function startCommand(options: StartTaskOptions, argv: readonly string[]): Promise<Task> {
  const { environment, live, clock, folder, record } = options;
  environment.check(argv);
  environment.prepare();
  const launch = environment.launch(argv);
  const { output } = live;
  if (record.config.tty) return startTerminalTask(launch, { output, clock });
  return ProcessTask.start(launch, record.config.stdin, { folder, output, clock });
}

/** Where Node keeps compiled code between starts, for our own programs: as for this process. */
function compiledCode(): Readonly<Record<string, string>> {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
}

/** One of our own programs as a process: it finds its files below ORRERY_ROOTFS. */
function startComponent(options: StartTaskOptions, args: readonly string[]): Promise<Task> {
  const { environment, live, clock, folder, componentDir } = options;
  const file = join(componentDir, 'kube-proxy.js');
  if (componentDir === '' || !existsSync(file))
    throw new CriError('UNKNOWN', `exec: "${file}": no such file (see --component-dir)`);
  environment.prepare();
  const { rootfs } = environment.options;
  const launch = {
    file: process.execPath,
    args: [file, ...args],
    env: { ...environment.env, ...compiledCode(), ORRERY_ROOTFS: rootfs },
    cwd: rootfs,
  };
  return ProcessTask.start(launch, false, { folder, output: live.output, clock });
}

/** A built-in program as a process, since it must live in the pod's network namespace. */
function startProgramProcess(options: StartTaskOptions, program: ProgramName): Promise<Task> {
  const { environment, live, clock, folder, componentDir, script, sandbox } = options;
  const file = join(componentDir, 'container-program.js');
  if (componentDir === '' || !existsSync(file))
    throw new CriError('UNKNOWN', `exec: "${file}": no such file (see --component-dir)`);
  const hasIpv6 = [sandbox.ip, ...(sandbox.moreIps ?? [])].some((ip) => ip.includes(':'));
  const launch = environment.inNetwork({
    file: process.execPath,
    args: [file],
    env: {
      ...environment.env,
      ...compiledCode(),
      ORRERY_PROGRAM: encodeJob({
        program,
        context: { ...factsOf(options), listen: hasIpv6 ? '::' : '0.0.0.0' },
        files: {
          mounts: environment.options.mounts,
          rootfs: environment.options.rootfs,
          files: (environment.options.files ?? []).map(({ path }) => path),
        },
        delayMs: script.startDelayMs,
      }),
    },
    cwd: '/',
  });
  return ProcessTask.start(launch, false, { folder, output: live.output, clock });
}

/** Starts what the container is; rejects with CriError as runc would. */
export function startTask(options: StartTaskOptions): Promise<Task> {
  const plan = planOf(options.record, options.sandbox, options.catalog);
  switch (plan.kind) {
    case 'adopt':
      return adoptProcess({
        folder: options.adoptDir,
        name: plan.name,
        output: options.live.output,
        clock: options.clock,
        ended: options.endedProcesses,
      });
    case 'component':
      return startComponent(options, plan.args);
    case 'command':
      return startCommand(options, plan.argv);
    case 'nothing':
      return startCommand(options, ['true']);
    case 'program': {
      const program = PROGRAMS[plan.program];
      if (!program) throw new CriError('UNIMPLEMENTED', `program ${plan.program}`);
      if (options.sandbox.netns !== undefined) return startProgramProcess(options, plan.program);
      return startProgram(program, contextOf(options), options.script.startDelayMs);
    }
  }
}
