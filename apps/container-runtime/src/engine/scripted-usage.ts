import type { Clock } from '@orrery/component';
import type { Script } from './script.js';
import type { Task } from './task.js';

/** The task with what its script says it uses, beside what it really does. */
export function withScriptedUsage(task: Task, script: Script, clock: Clock): Task {
  const { memoryBytes, memoryGrowth, cpuCores } = script;
  if (memoryBytes === 0 && memoryGrowth === 0 && cpuCores === 0) return task;
  const startedAt = clock.monotonic();
  return {
    pid: task.pid,
    pidStart: task.pidStart,
    exited: task.exited,
    stdin: task.stdin,
    ...(task.foreign ? { foreign: true as const } : {}),
    signal: (name) => {
      task.signal(name);
    },
    resize: (columns, rows) => {
      task.resize(columns, rows);
    },
    usage: () => {
      const ms = clock.monotonic() - startedAt;
      const real = task.usage();
      return {
        cpuNanoseconds: real.cpuNanoseconds + Math.round(cpuCores * ms * 1e6),
        memoryBytes: real.memoryBytes + memoryBytes + Math.floor((memoryGrowth * ms) / 1000),
      };
    },
  };
}
