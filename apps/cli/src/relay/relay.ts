import { SystemClock, SystemRandom, createLogger, parseDuration } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { Dataplane, backendKey } from '@orrery/dataplane';
import type { Backend } from '@orrery/dataplane';
import { readyAddress } from './readiness-probe.js';
import { toEndpoint } from './relay-flags.js';
import type { Endpoint, RelayFlags } from './relay-flags.js';

interface RelayOptions {
  readonly listen: Endpoint;
  readonly to: readonly Endpoint[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const NODE = 'relay';

/** One address for several API servers: connections go to those that say they are ready, in turn. */
export class ApiServerRelay {
  readonly #dataplane: Dataplane;
  #ready: readonly Backend[] | undefined;

  constructor(private readonly options: RelayOptions) {
    const { clock } = options;
    this.#dataplane = new Dataplane({ clock, random: new SystemRandom(), allowedBackends: [] });
  }

  /** Relays until the signal aborts. Rejects when it cannot listen. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs } = this.options;
    try {
      while (!signal.aborted) {
        await this.#check();
        await clock.sleep(intervalMs, signal).catch(() => undefined);
      }
    } finally {
      this.#dataplane.destroy();
    }
  }

  async #check(): Promise<void> {
    const { to, timeoutMs, logger } = this.options;
    const found = await Promise.all(
      to.map(async ({ host, port }): Promise<Backend[]> => {
        const address = await readyAddress({ host, port }, timeoutMs);
        return address === undefined ? [] : [{ address, port, weight: 1 }];
      }),
    );
    const ready = found.flat();
    if (this.#ready && keysOf(this.#ready) === keysOf(ready)) return;
    logger.info('ready API servers', { ready: keysOf(ready) || 'none' });
    this.#ready = ready;
    await this.#program(ready);
  }

  async #program(backends: readonly Backend[]): Promise<void> {
    const { host: address, port } = this.options.listen;
    const [problem] = await this.#dataplane.replace({
      node: NODE,
      sources: [],
      rules: [
        {
          id: NODE,
          protocol: 'TCP',
          frontends: [{ address, port, kind: 'loadBalancer' }],
          policy: 'rr',
          affinityMs: 0,
          backends,
          trusted: true,
        },
      ],
    });
    if (problem) throw new Error(`--listen ${problem.address}:${problem.port}: ${problem.message}`);
  }
}

const keysOf = (backends: readonly Backend[]): string => backends.map(backendKey).join(', ');

/** `orrery relay`: relays until the signal aborts. */
export async function relay(flags: RelayFlags, signal: AbortSignal): Promise<void> {
  const relaying = new ApiServerRelay({
    listen: toEndpoint(flags.listen),
    to: flags.to.map(toEndpoint),
    intervalMs: parseDuration(flags.checkInterval) ?? 0,
    timeoutMs: parseDuration(flags.checkTimeout) ?? 0,
    clock: new SystemClock(),
    logger: createLogger({ component: 'relay' }),
  });
  await relaying.run(signal);
}
