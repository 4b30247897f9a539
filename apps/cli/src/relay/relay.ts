import { SystemClock, SystemRandom, createLogger, parseDuration } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
import type { ServiceRule } from '@orrery/dataplane';
import { addressesOf, isReady } from './readiness-probe.js';
import { toListen, toTarget } from './relay-flags.js';
import type { Listen, RelayFlags, Target } from './relay-flags.js';

interface RelayOptions {
  readonly listen: Listen;
  readonly to: readonly Target[];
  readonly check: RelayFlags['check'];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Found {
  readonly address: string;
  readonly port?: number;
}

const NODE = 'relay';

const textOf = ({ address, port }: Found): string =>
  port === undefined ? address : `${address}:${port}`;

/** One address for several servers: connections go in turn to those that are there, and with a check to those that are ready. */
export class Relay {
  readonly #dataplane: Dataplane;
  #found: string | undefined;

  constructor(private readonly options: RelayOptions) {
    const { clock } = options;
    this.#dataplane = new Dataplane({ clock, random: new SystemRandom(), allowedBackends: [] });
  }

  /** Relays until the signal aborts. Rejects when it cannot listen. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, logger } = this.options;
    try {
      while (!signal.aborted) {
        const found = await this.#find();
        const text = found.map(textOf).join(', ');
        if (text !== this.#found) {
          logger.info('relaying', { to: text || 'none' });
          await this.#program(found);
          this.#found = text;
        }
        await clock.sleep(intervalMs, signal).catch(() => undefined);
      }
    } finally {
      this.#dataplane.destroy();
    }
  }

  async #find(): Promise<readonly Found[]> {
    const { to, check, timeoutMs, listen } = this.options;
    const all = await Promise.all(
      to.map(async (target) =>
        (await addressesOf(target.host)).map((address): Found => ({ ...target, address })),
      ),
    );
    const found = all.flat();
    if (check === 'none') return found;
    const [first = 0] = listen.ports;
    const ready = await Promise.all(
      found.map(({ address, port = first }) => isReady(address, port, timeoutMs)),
    );
    return found.filter((_, i) => ready[i]);
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
    clock: new SystemClock(),
    logger: createLogger({ component: 'relay' }),
  });
  await relaying.run(signal);
}
