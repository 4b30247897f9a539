import type { Logger } from '@orrery/component';
import type { HealthCheck } from '../health/health-checks.js';
import type { StartHook } from './start-hooks.js';

/** Post-start hooks that have not finished keep the server from being ready. */
export class StartHookRunner {
  private readonly pending = new Map<string, string>();

  constructor(
    private readonly hooks: readonly StartHook[],
    private readonly logger: Logger,
  ) {
    for (const { name } of hooks) this.pending.set(name, 'not finished');
  }

  /** Runs the hooks in their order; one that fails is logged and keeps the server unready. */
  async run(): Promise<void> {
    for (const hook of this.hooks) {
      try {
        await hook.run();
        this.pending.delete(hook.name);
      } catch (error) {
        this.pending.set(hook.name, error instanceof Error ? error.message : String(error));
        this.logger.error('post-start hook failed', error, { hook: hook.name });
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
