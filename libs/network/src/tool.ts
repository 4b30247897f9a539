import { spawn } from 'node:child_process';
import { ConfigError } from '@orrery/component';

export interface ToolOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Path of the network namespace to run in; default the caller's own. */
  readonly netns?: string;
}

/** What a tool has written, and how it ended. */
export interface ToolOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A tool of the operating system that failed; the message is what it said. */
export class ToolError extends Error {
  constructor(
    readonly command: string,
    readonly outcome: ToolOutcome,
  ) {
    super(`${command}: ${outcome.stderr.trim() || `exit code ${outcome.code}`}`);
    this.name = 'ToolError';
  }
}

const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  nsenter: 'util-linux',
  'iptables-restore': 'iptables',
  'ip6tables-restore': 'iptables',
};

/** The whole line with which a command runs inside a network namespace. */
export const insideNetns = (
  netns: string,
  file: string,
  args: readonly string[],
): { file: string; args: readonly string[] } => ({
  file: 'nsenter',
  args: [`--net=${netns}`, '--', file, ...args],
});

/** Runs a tool and answers whatever it did. Throws ConfigError where the tool is not installed. */
export function tryTool(
  name: string,
  argv: readonly string[],
  { input = '', env, netns }: ToolOptions = {},
): Promise<ToolOutcome> {
  const { file, args } =
    netns === undefined ? { file: name, args: argv } : insideNetns(netns, name, argv);
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(env && { env: { ...env } }),
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text;
      });
    child.once('error', (error: NodeJS.ErrnoException) => {
      const remedy = PACKAGES[file] ? `; install ${PACKAGES[file]}` : '';
      reject(
        error.code === 'ENOENT'
          ? new ConfigError(`the program ${file} is not there${remedy}`, { cause: error })
          : error,
      );
    });
    child.once('close', (code) => {
      resolve({ code: code ?? 128, ...output });
    });
    // A program that does not read its input is judged by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Runs a tool; its standard output. Rejects with ToolError when it fails. */
export async function runTool(
  name: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  const outcome = await tryTool(name, args, options);
  if (outcome.code !== 0) throw new ToolError([name, ...args].join(' '), outcome);
  return outcome.stdout;
}

/** Rejects with ConfigError, which names the package, where one of these tools is not installed. */
export async function needTools(...names: readonly string[]): Promise<void> {
  for (const name of names) await tryTool(name, ['--version']);
}

const lacksPrivilege = (error: unknown): boolean =>
  error instanceof ToolError && /not permitted|permission denied/i.test(error.outcome.stderr);

const PRIVILEGES = 'root, or the capabilities NET_ADMIN and SYS_ADMIN (docker: --privileged)';

/** Rejects with one line naming the remedy when this process may not change the network. */
export async function needNetAdmin<T>(
  what: string,
  work: () => Promise<T>,
  privileges = PRIVILEGES,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!lacksPrivilege(error)) throw error;
    throw new ConfigError(`${what} needs ${privileges}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Several `ip` commands in one process, in order; the first that fails ends it. */
export const ipBatch = async (lines: readonly string[], netns?: string): Promise<void> => {
  if (lines.length === 0) return;
  const input = `${lines.join('\n')}\n`;
  await runTool('ip', ['-batch', '-'], { input, ...(netns !== undefined && { netns }) });
};
