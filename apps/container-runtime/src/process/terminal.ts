import { PassThrough, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { CriError } from '@orrery/cri';
import { exitCodeOf } from '../engine/task.js';
import type { ExecSession, Exit, Task, Usage } from '../engine/task.js';
import type { Launch } from './environment.js';
import { sessionUsage, startOf } from './proc-stat.js';
import { killGroup, signalCommand } from './process-task.js';
import type { ProcessTaskOptions } from './process-task.js';

const SIGNALS = new Map([
  [1, 'SIGHUP'],
  [2, 'SIGINT'],
  [3, 'SIGQUIT'],
  [6, 'SIGABRT'],
  [9, 'SIGKILL'],
  [15, 'SIGTERM'],
]);

interface Terminal {
  readonly pid: number;
  readonly stdin: Writable;
  readonly exitCode: Promise<number>;
  onData(listener: (data: Buffer) => void): void;
  resize(columns: number, rows: number): void;
}

/** Starts a process on a pseudo-terminal; UNIMPLEMENTED where the native part cannot be loaded. */
async function openTerminal(launch: Launch): Promise<Terminal> {
  const pty = await import('@lydell/node-pty').catch((error: unknown) => {
    throw new CriError('UNIMPLEMENTED', 'tty: no pseudo-terminal support on this machine', {
      cause: error,
    });
  });
  const child = pty.spawn(launch.file, [...launch.args], {
    name: 'xterm',
    cols: 80,
    rows: 24,
    cwd: launch.cwd,
    env: { ...launch.env },
    encoding: null,
  });
  const exitCode = new Promise<number>((resolve) => {
    child.onExit(({ exitCode: code, signal }) => {
      resolve(signal ? exitCodeOf(null, SIGNALS.get(signal) ?? '') : code);
    });
  });
  const decoder = new StringDecoder('utf8');
  const stdin = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      child.write(decoder.write(chunk));
      done();
    },
    // Control-D: a terminal has no other end of file.
    final: (done) => {
      child.write('\x04');
      done();
    },
  });
  return {
    pid: child.pid,
    stdin,
    exitCode,
    onData: (listener) => {
      child.onData((data: string | Buffer) => {
        listener(Buffer.from(data));
      });
    },
    resize: (columns, rows) => {
      if (columns > 0 && rows > 0) child.resize(columns, rows);
    },
  };
}

const withTerm = (launch: Launch): Launch => ({
  ...launch,
  env: { TERM: 'xterm', ...launch.env },
});

/** A container with `tty: true`; it does not outlive the runtime. */
export async function startTerminalTask(
  launch: Launch,
  { output, clock }: Pick<ProcessTaskOptions, 'output' | 'clock'>,
): Promise<Task> {
  const terminal = await openTerminal(withTerm(launch));
  terminal.onData((data) => {
    output('stdout', data);
  });
  const command = { pid: terminal.pid, pidStart: startOf(terminal.pid) ?? '', root: launch.root };
  return {
    ...command,
    exited: terminal.exitCode.then((exitCode): Exit => ({ exitCode })),
    signal: (name) => {
      void signalCommand(command, name, clock);
    },
    stdin: terminal.stdin,
    resize: (columns, rows) => {
      terminal.resize(columns, rows);
    },
    usage: (): Usage => sessionUsage(terminal.pid),
  };
}

/** `kubectl exec -t`. */
export async function execOnTerminal(launch: Launch): Promise<ExecSession> {
  const terminal = await openTerminal(withTerm(launch));
  const stdout = new PassThrough();
  terminal.onData((data) => {
    stdout.write(data);
  });
  return {
    stdin: terminal.stdin,
    stdout,
    stderr: undefined,
    exitCode: terminal.exitCode.then((code) => {
      stdout.end();
      return code;
    }),
    kill: () => {
      killGroup(terminal.pid, 'SIGHUP');
      killGroup(terminal.pid, 'SIGKILL');
    },
    resize: (columns, rows) => {
      terminal.resize(columns, rows);
    },
  };
}
