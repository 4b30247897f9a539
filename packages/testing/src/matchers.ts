import type { AnyObject, ClusterView, WaitOptions } from './cluster-view.js';

interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

const isView = (value: unknown): value is Pick<ClusterView, 'waitFor'> =>
  typeof value === 'object' && value !== null && 'waitFor' in value;

/** For `expect.extend(matchers)` of Jest and Vitest. */
export const matchers = {
  /**
   * `await expect(cluster).toReach('deployment/web', (d) => d.status.readyReplicas === 3)`: waits until the object is as wanted.
   */
  async toReach(
    received: unknown,
    ref: string,
    isWanted: (object: AnyObject) => unknown,
    options: WaitOptions = {},
  ): Promise<MatcherResult> {
    // Not by its class: Jest's entry point and the main one bring classes of their own.
    if (!isView(received))
      return { pass: false, message: () => 'toReach() is for a cluster of createCluster()' };
    try {
      await received.waitFor(ref, isWanted, options);
      return { pass: true, message: () => `${ref} is as it should not be` };
    } catch (error) {
      return { pass: false, message: () => String((error as Error).message) };
    }
  },
};

/** What `expect` can do with the matchers; merged into Jest's and Vitest's by their type declarations. */
export interface ClusterMatchers<R = unknown> {
  toReach(
    ref: string,
    isWanted: (object: AnyObject) => unknown,
    options?: WaitOptions,
  ): R extends Promise<unknown> ? R : Promise<void>;
}
