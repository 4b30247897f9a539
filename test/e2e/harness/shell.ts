import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '@orrery/testkit';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Written to its standard input, which is then closed. */
  readonly stdin?: string;
  /** A non-zero exit is an answer, not an error. */
  readonly allowFailure?: boolean;
  /** Default 20,000. The command and what it started are then killed. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const DEFAULT_TIMEOUT_MS = 20_000;

/** Signals a process and everything in its group; whether there was one. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}

/** Runs one line of bash. Throws with its whole output when it fails or takes too long. */
export async function shell(line: string, options: CommandOptions = {}): Promise<CommandResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const child = spawn('bash', ['-c', line], {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const out: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (out[name] += text));
  child.stdin.on('error', () => undefined).end(options.stdin ?? '');
  const late = AbortSignal.timeout(timeoutMs);
  const kill = (): void => void signalGroup(child, 'SIGKILL');
  late.addEventListener('abort', kill, { once: true });
  const [code] = (await once(child, 'close')) as [number | null];
  late.removeEventListener('abort', kill);
  const result = { code: code ?? 128, ...out };
  const why =
    late.aborted && code === null ? `still running after ${timeoutMs} ms` : `exit ${code}`;
  if (code === null || (code !== 0 && !options.allowFailure))
    throw new Error(`$ ${line}\n${why}\n${out.stdout}${out.stderr}`);
  return result;
}

/** A command that goes on beside the test. */
export class BackgroundCommand {
  private text = '';
  private readonly child;
  private readonly closed: Promise<number>;

  constructor(
    private readonly line: string,
    { env, cwd }: Pick<CommandOptions, 'env' | 'cwd'> = {},
  ) {
    this.child = spawn('bash', ['-c', `exec ${line}`], {
      env: { ...process.env, ...env },
      cwd,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.text += text));
    this.child.stdin.on('error', () => undefined);
    this.closed = once(this.child, 'close').then(([code, signal]) =>
      typeof code === 'number' ? code : signal === 'SIGINT' ? 130 : 143,
    );
  }

  /** All it has written to standard output and standard error so far. */
  get output(): string {
    return this.text;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  write(text: string): void {
    this.child.stdin.write(text);
  }

  endInput(): void {
    this.child.stdin.end();
  }

  /** Waits until the output matches; answers the match. */
  async waitFor(pattern: RegExp, timeoutMs = 15_000): Promise<RegExpExecArray> {
    return eventually(
      () => {
        const match = pattern.exec(this.text);
        if (match) return match;
        throw new Error(`$ ${this.line}\nno ${String(pattern)} in:\n${this.text}`);
      },
      { timeoutMs },
    );
  }

  /** The exit code, once it has ended by itself. Throws when it does not end in time. */
  async exit(timeoutMs = 15_000): Promise<number> {
    await eventually(
      () => {
        if (this.isRunning) throw new Error(`$ ${this.line}\nstill running:\n${this.text}`);
      },
      { timeoutMs },
    );
    return this.closed;
  }

  /** Ends it and what it started, first by the signal, then by force; the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGINT', graceMs = 10_000): Promise<number> {
    if (this.isRunning) signalGroup(this.child, signal);
    await eventually(() => !this.isRunning, { timeoutMs: graceMs }).catch(() =>
      signalGroup(this.child, 'SIGKILL'),
    );
    return this.closed;
  }
}
