import type { CycleState } from './cycle-state.js';
import type { PluginMeters, Point } from './plugin-meters.js';
import type { Plugin } from './plugin.js';
import type { StatusCode } from './status.js';

export interface Measured {
  readonly meters: PluginMeters;
  readonly profile: string;
}

/** A plugin at one extension point, which is counted each time that it is asked and timed in some cycles. */
export class PluginRun {
  readonly name: string;
  /** To be called where the plugin is asked. */
  readonly asked: () => void;

  constructor(
    readonly plugin: Plugin,
    private readonly point: Point,
    private readonly measured: Measured,
  ) {
    this.name = plugin.name;
    this.asked = measured.meters.evaluations(plugin.name, point, measured.profile);
  }

  /** Does the work; tells how long it took when the cycle is one of those that are timed. */
  run<T>(state: CycleState, work: () => T, codeOf: (result: T) => StatusCode = success): T {
    if (!state.isTimed) return work();
    return this.timed(work, codeOf);
  }

  timed<T>(work: () => T, codeOf: (result: T) => StatusCode = success): T {
    const { meters } = this.measured;
    const from = meters.now();
    const result = work();
    meters.plugin(this.name, this.point, codeOf(result), (meters.now() - from) / 1000);
    return result;
  }

  /** The same of work that is waited for. */
  async awaited<T>(
    state: CycleState,
    work: () => Promise<T>,
    codeOf: (result: T) => StatusCode = success,
  ): Promise<T> {
    const { meters } = this.measured;
    const from = meters.now();
    const result = await work();
    if (state.isTimed)
      meters.plugin(this.name, this.point, codeOf(result), (meters.now() - from) / 1000);
    return result;
  }
}

const success = (): StatusCode => 'Success';

/** The plugins at a point, in order. */
export const runsOf = (
  plugins: readonly Plugin[],
  point: Point,
  measured: Measured,
): readonly PluginRun[] => plugins.map((plugin) => new PluginRun(plugin, point, measured));
