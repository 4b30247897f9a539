import type { Clock, HealthCheck, Logger } from '@orrery/component';
import type { StartHook } from './start-hooks.js';

const RETRY_MS = 1000;

/** Post-start hooks that have not finished keep the server from being ready. */
export class StartHookRunner {
  private readonly pending = new Map<string, string>();

  constructor(
    private readonly hooks: readonly StartHook[],
    private readonly deps: {
      readonly logger: Logger;
      readonly clock: Clock;
      readonly signal: AbortSignal;
    },
  ) {
    for (const { name } of hooks) this.pending.set(name, 'not finished');
  }

  /** Runs the hooks side by side, each when those that it comes after are done. */
  async run(): Promise<void> {
    const finished = new Map<string, Promise<void>>();
    for (const hook of this.hooks) {
      const before = (hook.after ?? []).flatMap((name) => finished.get(name) ?? []);
      const work = Promise.all(before).then(() => this.finish(hook));
      finished.set(hook.name, work);
    }
    await Promise.all(finished.values());
  }

  /** A hook that fails is logged, keeps the server unready and is run again. */
  private async finish(hook: StartHook): Promise<void> {
    const { logger, clock, signal } = this.deps;
    while (!signal.aborted && this.pending.has(hook.name)) {
      try {
        await hook.run();
        this.pending.delete(hook.name);
      } catch (error) {
        if (signal.aborted) return;
        this.pending.set(hook.name, error instanceof Error ? error.message : String(error));
        logger.error('post-start hook failed', error, { hook: hook.name });
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  checks(): HealthCheck[] {
    return this.hooks.map(({ name }) => ({
      name: `poststarthook/${name}`,
      check: () => this.pending.get(name),
    }));
  }
}
