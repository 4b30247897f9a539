import { startProcessGuard } from '@orrery/testkit';
import type { ProcessGuard } from '@orrery/testkit';

/** The processes of one cluster, which end with this process at the latest, however it goes. */
export class ProcessTable {
  private readonly pids = new Map<string, number>();
  private readonly guard: ProcessGuard;

  /** The folders are removed at the end. */
  constructor(folders: readonly string[]) {
    this.guard = startProcessGuard(folders);
  }

  set(name: string, pid: number | undefined): void {
    if (pid === undefined) this.pids.delete(name);
    else this.pids.set(name, pid);
    this.guard.guard([...this.pids.values()]);
  }

  /** Ends what still runs and removes the folders. */
  release(): void {
    for (const pid of this.pids.values())
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    this.guard.release();
  }
}
