import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { Clock, Logger } from '@orrery/component';
import type { Fleet } from './fleet.js';
import { Worker } from './worker.js';

const MAX_WORKERS = 4;
const CHECK_MS = 250;
/** Share of time that this process's event loop is busy before another process helps. */
const BUSY = 0.6;
const BUSY_CHECKS = 3;

export interface GrowthOptions {
  /** Processes wanted; 0 = one a core, at most four, the second and further ones when there is load. */
  readonly workers: number;
  readonly socket: string;
  readonly args: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const script = join(dirname(fileURLToPath(import.meta.url)), 'dataplane.js');

/** Most processes that this dataplane may have; one where it does not run from its bundle. */
function maxProcesses(workers: number): number {
  if (!existsSync(script)) return 1;
  return workers > 0 ? workers : Math.min(availableParallelism(), MAX_WORKERS);
}

/** Tells when another process would help. */
export class Pressure {
  private busy = 0;

  /**
   * Of the time since the last note, the share in which the event loop was busy, and whether anything was relayed: in a
   * process with other components these may be what keeps it busy, above all when they start.
   */
  note(utilization: number, relays: boolean): void {
    this.busy = utilization > BUSY && relays ? this.busy + 1 : 0;
  }

  get isHigh(): boolean {
    return this.busy >= BUSY_CHECKS;
  }

  relieve(): void {
    this.busy = 0;
  }
}

/** Starts workers: at once those that were asked for, by load those that may come; one that ends is started again. */
export class Growth {
  private started = 0;

  constructor(
    private readonly fleet: Fleet,
    private readonly options: GrowthOptions,
  ) {}

  async start(signal: AbortSignal): Promise<void> {
    const { workers, clock } = this.options;
    const most = maxProcesses(workers);
    const wanted = workers === 0 ? 1 : most;
    while (this.fleet.size < wanted) await this.add();
    const pressure = new Pressure();
    let before = performance.eventLoopUtilization();
    while (most > 1 && !signal.aborted) {
      const slept = await clock.sleep(CHECK_MS, signal).then(
        () => true,
        () => false,
      );
      if (!slept) return;
      const { utilization } = performance.eventLoopUtilization(before);
      before = performance.eventLoopUtilization();
      pressure.note(utilization, this.fleet.relays());
      const lacks = this.fleet.size < wanted || pressure.isHigh;
      if (!lacks || this.fleet.size >= most) continue;
      pressure.relieve();
      await this.add();
    }
  }

  private async add(): Promise<void> {
    const { socket, args, clock, logger } = this.options;
    this.started += 1;
    try {
      const worker = await Worker.start({
        script,
        socket: `${socket}.${process.pid}-${this.started}`,
        args,
        clock,
        logger,
      });
      await this.fleet.add(worker);
      logger.info('another process listens on the same ports', { pid: worker.pid });
    } catch (error) {
      logger.error('a worker could not be started', error);
      await clock.sleep(CHECK_MS);
    }
  }
}
