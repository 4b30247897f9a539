import type { CycleState } from './cycle-state.js';
import type { ExtensionPoint } from './extension-points.js';
import type { Point } from './plugin-meters.js';
import { runsOf } from './plugin-run.js';
import type { Measured, PluginRun } from './plugin-run.js';
import type { Plugin } from './plugin.js';
import type { PodInfo } from './pod-info.js';
import { by, failed, isSuccess, success } from './status.js';
import type { Status, StatusCode } from './status.js';

type Sets = Readonly<Record<ExtensionPoint, readonly Plugin[]>>;

const codeOf = ({ code }: Status): StatusCode => code;

/** What plugins do once a pod has its node: Reserve, Permit, PreBind, Bind, PostBind, and the way back. */
export class BindingPoints {
  readonly #reserve: readonly PluginRun[];
  readonly #unreserve: readonly PluginRun[];
  readonly #permit: readonly PluginRun[];
  readonly #preBind: readonly PluginRun[];
  readonly #bind: readonly PluginRun[];
  readonly #postBind: readonly PluginRun[];

  constructor(
    sets: Sets,
    private readonly measured: Measured,
  ) {
    this.#reserve = runsOf(sets.reserve, 'Reserve', measured);
    this.#unreserve = runsOf(sets.reserve.toReversed(), 'Unreserve', measured);
    this.#permit = runsOf(sets.permit, 'Permit', measured);
    this.#preBind = runsOf(sets.preBind, 'PreBind', measured);
    this.#bind = runsOf(sets.bind, 'Bind', measured);
    this.#postBind = runsOf(sets.postBind, 'PostBind', measured);
  }

  reserve(state: CycleState, pod: PodInfo, nodeName: string): Status {
    const done = this.#begin('Reserve');
    for (const each of this.#reserve) {
      const work = (): Status => each.plugin.reserve?.(state, pod, nodeName) ?? success;
      const status = each.run(state, work, codeOf);
      if (!isSuccess(status)) return done(by(each.name, status));
    }
    return done(success);
  }

  /** A promise only when a plugin has something to write. */
  unreserve(state: CycleState, pod: PodInfo, nodeName: string): Promise<unknown> | undefined {
    const done = this.#begin('Unreserve');
    const undone = this.#unreserve
      .map((each) => each.run(state, () => each.plugin.unreserve?.(state, pod, nodeName)))
      .filter((each) => each instanceof Promise);
    done(success);
    return undone.length > 0 ? Promise.all(undone) : undefined;
  }

  /** Whether the binding has to wait for a PreBind (k8s framework/runtime: RunPreBindPreFlights). */
  willWait(state: CycleState, pod: PodInfo, nodeName: string): boolean {
    return this.#preBind.some(({ plugin }) => {
      const status = plugin.preBindPreFlight?.(state, pod, nodeName);
      return status !== undefined && isSuccess(status);
    });
  }

  /** Permit and PreBind of all: the pod may be bound when all succeed or skip. */
  async beforeBind(
    state: CycleState,
    pod: PodInfo,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<Status> {
    const run = async (
      point: 'permit' | 'preBind',
      runs: readonly PluginRun[],
    ): Promise<Status> => {
      const done = this.#begin(point === 'permit' ? 'Permit' : 'PreBind');
      for (const each of runs) {
        const work = async (): Promise<Status> =>
          (await each.plugin[point]?.(state, pod, nodeName, signal)) ?? success;
        const status = await each.awaited(state, work, codeOf);
        if (!isSuccess(status) && status.code !== 'Skip') return done(by(each.name, status));
      }
      return done(success);
    };
    const { meters } = this.measured;
    const from = meters.now();
    const permitted = await run('permit', this.#permit);
    if (this.#permit.length > 0) meters.permitted(permitted.code, (meters.now() - from) / 1000);
    return isSuccess(permitted) ? run('preBind', this.#preBind) : permitted;
  }

  /** Bind of the first plugin that does not skip. */
  async bind(
    state: CycleState,
    pod: PodInfo,
    nodeName: string,
    signal: AbortSignal,
  ): Promise<Status> {
    const done = this.#begin('Bind');
    for (const each of this.#bind) {
      const work = async (): Promise<Status> =>
        (await each.plugin.bind?.(state, pod, nodeName, signal)) ?? { code: 'Skip', reasons: [] };
      const status = await each.awaited(state, work, codeOf);
      if (status.code !== 'Skip') return done(by(each.name, status));
    }
    return done(failed(new Error('no plugin binds pods')));
  }

  postBind(state: CycleState, pod: PodInfo, nodeName: string): void {
    const done = this.#begin('PostBind');
    for (const each of this.#postBind)
      each.run(state, () => each.plugin.postBind?.(state, pod, nodeName));
    done(success);
  }

  /** Tells at the end how long all plugins took, and hands the status on. */
  #begin(point: Point): (status: Status) => Status {
    const { meters, profile } = this.measured;
    const from = meters.now();
    return (status) => {
      meters.point(point, status.code, profile, (meters.now() - from) / 1000);
      return status;
    };
  }
}
