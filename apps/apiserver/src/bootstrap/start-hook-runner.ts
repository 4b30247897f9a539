import type { Clock, Logger } from '@orrery/component';
import type { HealthCheck } from '../health/health-checks.js';
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

  /** Runs the hooks in their order; one that fails is logged, keeps the server unready and is run again. */
  async run(): Promise<void> {
    const { logger, clock, signal } = this.deps;
    for (const hook of this.hooks) {
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
  }

  checks(): HealthCheck[] {
    return this.hooks.map(({ name }) => ({
      name: `poststarthook/${name}`,
      check: () => this.pending.get(name),
    }));
  }
}
