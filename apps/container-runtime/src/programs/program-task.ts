import type { Exit, StopSignal, Task } from '../engine/task.js';
import { ProgramExit } from './program.js';
import type { Program, ProgramContext, RunningProgram } from './program.js';

/** Signals at which a server ends gracefully; the rest but SIGKILL are ignored. */
const GRACEFUL: readonly string[] = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGWINCH'];
/** What a small server holds; shared code is counted with the runtime itself. */
const MEMORY_BYTES = 3 * 1024 * 1024;

/** Runs a built-in program as a container; with a delay the container runs at once and the program serves later. */
export async function startProgram(
  program: Program,
  context: ProgramContext,
  delayMs: number,
): Promise<Task> {
  let exit: (exit: Exit) => void = () => undefined;
  const exited = new Promise<Exit>((resolve) => {
    exit = resolve;
  });
  let running: RunningProgram | undefined;
  let ended = false;
  const start = async (): Promise<void> => {
    if (delayMs > 0) await context.clock.sleep(delayMs);
    if (ended) return;
    running = await program(context);
    if (ended) running.kill();
  };
  const end = (exitCode: number): void => {
    ended = true;
    exit({ exitCode });
  };
  const starting = start().catch((error: unknown) => {
    if (!(error instanceof ProgramExit)) context.log('stderr', String(error));
    end(error instanceof ProgramExit ? error.exitCode : 1);
  });
  if (delayMs === 0) await starting;
  return {
    pid: 0,
    pidStart: '',
    exited,
    signal: (name: StopSignal) => {
      if (name === 'SIGKILL') {
        running?.kill();
        end(137);
      } else if (GRACEFUL.includes(name) && running)
        running.stop().then(
          () => {
            end(0);
          },
          () => {
            end(1);
          },
        );
      else if (GRACEFUL.includes(name)) end(143);
    },
    stdin: undefined,
    resize: () => undefined,
    usage: () => ({
      cpuNanoseconds: running?.cpuNanoseconds() ?? 0,
      memoryBytes: running ? MEMORY_BYTES : 0,
    }),
  };
}
