/** A process that is one built-in program: its job is in ORRERY_PROGRAM, its log is its output. */
import { SystemClock } from '@orrery/component';
import { decodeJob, hostPathIn } from './programs/program-job.js';
import { startProgram } from './programs/program-task.js';
import { PROGRAMS } from './programs/programs.js';

const KEEP_ALIVE_MS = 60_000;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGWINCH'] as const;

const { program: name, context, files, delayMs } = decodeJob(process.env['ORRERY_PROGRAM'] ?? '');
const program = PROGRAMS[name];
if (!program) throw new TypeError(`no built-in program ${name}`);
const clock = new SystemClock();
const keepAlive = (): void => {
  clock.after(KEEP_ALIVE_MS, keepAlive);
};
keepAlive();
const task = await startProgram(
  program,
  {
    ...context,
    clock,
    log: (stream, line) => {
      process[stream].write(`${line}\n`);
    },
    hostPathOf: (path) => hostPathIn(files, path),
  },
  delayMs,
);
for (const signal of SIGNALS)
  process.on(signal, () => {
    task.signal(signal);
  });
const { exitCode } = await task.exited;
process.exit(exitCode);
