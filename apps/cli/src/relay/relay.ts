import { SystemClock, SystemRandom, createLogger, parseDuration } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
import type { ServiceRule } from '@orrery/dataplane';
import { Backends, textOf } from './backends.js';
import type { Found } from './backends.js';
import { toListen, toTarget } from './relay-flags.js';
import type { Listen, RelayFlags, Target } from './relay-flags.js';

interface RelayOptions {
  readonly listen: Listen;
  readonly to: readonly Target[];
  readonly check: RelayFlags['check'];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const NODE = 'relay';
/** While nobody is ready: somebody is starting, and waited for. */
const SOON_MS = 100;

/**
 * One address for several servers: connections go in turn to those that are there, and with a check to those that are ready.
 * A server that says it is not ready keeps the connections that it has, since it may be finishing what it was asked; one that
 * does not answer at all loses them, so that its clients go to another.
 */
export class Relay {
  readonly #dataplane: Dataplane;
  readonly #backends: Backends;
  #found: string | undefined;

  constructor(private readonly options: RelayOptions) {
    const { clock, listen } = options;
    this.#backends = new Backends({ ...options, defaultPort: listen.ports[0] ?? 0 });
    this.#dataplane = new Dataplane({ clock, random: new SystemRandom(), allowedBackends: [] });
  }

  /** Relays until the signal aborts. Rejects when it cannot listen. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, logger } = this.options;
    try {
      while (!signal.aborted) {
        const { ready, gone } = await this.#backends.look();
        const text = ready.map(textOf).join(', ');
        if (text !== this.#found) {
          logger.info('relaying', { to: text || 'none' });
          await this.#program(ready);
          this.#found = text;
        }
        for (const one of gone) {
          logger.info('does not answer: connections to it are reset', { backend: textOf(one) });
          this.#dataplane.resetBackend(one);
        }
        const waitMs = ready.length > 0 ? intervalMs : Math.min(intervalMs, SOON_MS);
        await clock.sleep(waitMs, signal).catch(() => undefined);
      }
    } finally {
      this.#backends.close();
      this.#dataplane.destroy();
    }
  }

  async #program(found: readonly Found[]): Promise<void> {
    const { address, ports } = this.options.listen;
    const rules = ports.map((port): ServiceRule => ({
      id: `${NODE}/${port}`,
      protocol: 'TCP',
      frontends: [{ address, port, kind: 'loadBalancer' }],
      policy: 'rr',
      affinityMs: 0,
      backends: found.map((one) => ({ address: one.address, port: one.port ?? port, weight: 1 })),
      trusted: true,
    }));
    const [problem] = await this.#dataplane.replace({ node: NODE, sources: [], rules });
    if (problem) throw new Error(`--listen ${problem.address}:${problem.port}: ${problem.message}`);
  }
}

/** `orrery relay`: relays until the signal aborts. */
export async function relay(flags: RelayFlags, signal: AbortSignal): Promise<void> {
  const relaying = new Relay({
    listen: toListen(flags.listen),
    to: flags.to.map(toTarget),
    check: flags.check,
    intervalMs: parseDuration(flags.checkInterval) ?? 0,
    timeoutMs: parseDuration(flags.checkTimeout) ?? 0,
    fall: flags.fall,
    clock: new SystemClock(),
    logger: createLogger({ component: 'relay' }),
  });
  await relaying.run(signal);
}
