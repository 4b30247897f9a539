import type { Logger } from '@orrery/component';
import type { NodeInfo } from '../cache/node-info.js';
import type { PodInfo } from '../framework/pod-info.js';
import type { Status } from '../framework/status.js';
import type { Extender, VictimsByNode } from './extender.js';

/** The extenders of the configuration, asked one after the other. */
export class Extenders {
  constructor(
    private readonly all: readonly Extender[],
    private readonly logger: Logger,
  ) {}

  /** Whether the decision about the pod has to wait for one of them. */
  concern(pod: PodInfo): boolean {
    return this.all.some(
      (each) => (each.filters || each.prioritizes) && each.isInterested(pod.pod),
    );
  }

  /** The first that binds such pods. */
  binder(pod: PodInfo): Extender | undefined {
    return this.all.find((each) => each.binds && each.isInterested(pod.pod));
  }

  /** The nodes that all of them let through; refusals are added to `statuses`. */
  async filter(
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    statuses: Map<string, Status>,
  ): Promise<readonly NodeInfo[]> {
    let left = nodes;
    for (const extender of this.all) {
      if (left.length === 0) break;
      if (!extender.filters || !extender.isInterested(pod.pod)) continue;
      try {
        const result = await extender.filter(pod, left);
        for (const [name, status] of result.statuses)
          if (statuses.get(name)?.code !== 'UnschedulableAndUnresolvable')
            statuses.set(name, status);
        left = result.nodes;
      } catch (error) {
        if (!extender.isIgnorable) throw error;
        this.#ignored(extender, error);
      }
    }
    return left;
  }

  /** Adds the extenders' scores; one that does not answer adds nothing. */
  async prioritize(pod: PodInfo, nodes: readonly NodeInfo[], totals: number[]): Promise<void> {
    const asked = this.all.filter((each) => each.prioritizes && each.isInterested(pod.pod));
    await Promise.all(
      asked.map(async (extender) => {
        try {
          const scores = await extender.prioritize(pod, nodes);
          for (const [i, { name }] of nodes.entries())
            totals[i] = (totals[i] ?? 0) + (scores.get(name) ?? 0);
        } catch (error) {
          this.#ignored(extender, error);
        }
      }),
    );
  }

  /** Whether candidates for preemption have to be shown to one of them. */
  judgePreemption(pod: PodInfo): boolean {
    return this.all.some((each) => each.preempts && each.isInterested(pod.pod));
  }

  async preempt(pod: PodInfo, candidates: VictimsByNode): Promise<VictimsByNode> {
    let left = candidates;
    for (const extender of this.all) {
      if (left.size === 0) break;
      if (!extender.preempts || !extender.isInterested(pod.pod)) continue;
      try {
        left = await extender.preempt(pod, left);
      } catch (error) {
        if (!extender.isIgnorable) throw error;
        this.#ignored(extender, error);
      }
    }
    return left;
  }

  #ignored(extender: Extender, error: unknown): void {
    this.logger.warn('extender ignored', { extender: extender.name, error: String(error) });
  }
}
