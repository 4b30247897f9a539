import type { Clock } from '@orrery/component';
import { ManagedProcess } from './managed-process.js';
import type { ProcessEvents, ProcessExit, ProcessSpec, ProcessState } from './managed-process.js';

export interface ProcessView {
  readonly name: string;
  readonly state: ProcessState;
  readonly restarts: number;
  readonly logFile: string;
}

/** Keeps the processes of one cluster running; stops them in the reverse order of their start. */
export class Supervisor {
  private readonly processes = new Map<string, ManagedProcess>();
  private readonly events: ProcessEvents;

  /** `onPids` is told the processes that run whenever one starts or ends. */
  constructor(
    private readonly clock: Clock,
    exited: (exit: ProcessExit) => void,
    onPids: (pids: readonly number[]) => void = () => undefined,
  ) {
    const changed = (): void => {
      onPids([...this.processes.values()].flatMap(({ pids }) => pids));
    };
    this.events = { exited, changed };
  }

  add(spec: ProcessSpec): void {
    const process = new ManagedProcess(spec, this.clock, this.events);
    this.processes.set(spec.name, process);
    process.start();
  }

  /** Stops the process and, with a spec, starts it anew as that says; without one it is forgotten. */
  async replace(name: string, spec?: ProcessSpec): Promise<void> {
    await this.processes.get(name)?.stop();
    if (spec) this.add(spec);
    else this.processes.delete(name);
  }

  find(name: string): ManagedProcess | undefined {
    return this.processes.get(name);
  }

  view(): readonly ProcessView[] {
    return [...this.processes.values()].map(({ spec, state, restarts }) => ({
      name: spec.name,
      state,
      restarts,
      logFile: spec.logFile,
    }));
  }

  /** Stops each wave at once and the waves one after the other, last started first. */
  async stopAll(waves: readonly (readonly string[])[]): Promise<void> {
    for (const wave of waves)
      await Promise.all(wave.flatMap((name) => this.processes.get(name)?.stop() ?? []));
    await Promise.all([...this.processes.values()].map((process) => process.stop()));
  }
}
