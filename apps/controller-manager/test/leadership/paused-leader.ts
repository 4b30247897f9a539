import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..', '..', '..');

/** A program of this folder as one file that Node runs as it is. */
export class LeaderProgram {
  private constructor(private readonly folder: string) {}

  static async build(entry = 'leader-child.ts'): Promise<LeaderProgram> {
    mkdirSync(join(root, '.cache'), { recursive: true });
    // In the project's folder: what is not bundled is found from there.
    const program = new LeaderProgram(mkdtempSync(join(root, '.cache', 'leader-')));
    await build({
      entryPoints: [join(here, entry)],
      outfile: program.#file,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      conditions: ['development'],
      tsconfig: join(root, 'tsconfig.json'),
      logLevel: 'error',
      plugins: [
        {
          name: 'packages-stay-outside',
          setup(plugin) {
            plugin.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
              kind === 'entry-point' || path.startsWith('@orrery/')
                ? undefined
                : { path, external: true },
            );
          },
        },
      ],
    });
    return program;
  }

  get #file(): string {
    return join(this.folder, 'leader.mjs');
  }

  start(...args: readonly string[]): LeaderChild {
    return new LeaderChild([this.#file, ...args]);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A leader in a process of its own, which can be paused. */
export class LeaderChild {
  /** What it said, oldest first. */
  readonly lines: string[] = [];
  readonly #process: ChildProcessByStdio<null, Readable, null>;

  constructor(args: readonly string[]) {
    const env = { ...process.env, ORRERY_LOG_LEVEL: 'silent' };
    this.#process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
    let rest = '';
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
  }

  pause(): void {
    this.#process.kill('SIGSTOP');
  }

  resume(): void {
    this.#process.kill('SIGCONT');
  }

  /** Revisions of what it wrote, as it knows. */
  get written(): number[] {
    return this.lines
      .filter((line) => line.startsWith('written '))
      .map((line) => Number(line.slice('written '.length)));
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}
