import type { Clock } from '@orrery/component';
import { ReadinessProbe, addressesOf } from './readiness-probe.js';
import type { Readiness } from './readiness-probe.js';
import type { Target } from './relay-flags.js';

/** A server behind the relay; no port = that of the connection. */
export interface Found {
  readonly address: string;
  readonly port?: number;
}

export interface BackendOptions {
  readonly to: readonly Target[];
  readonly check: 'readyz' | 'none';
  readonly timeoutMs: number;
  /** Unanswered questions in a row after which a server is gone; 0 = never. */
  readonly fall: number;
  /** Where a target without a port is asked. */
  readonly defaultPort: number;
  readonly clock: Clock;
}

interface Known {
  readonly address: string;
  readonly port: number;
  unanswered: number;
  /** It has been ready since it was last given up. */
  hasServed: boolean;
}

export const textOf = ({ address, port }: Found): string =>
  port === undefined ? address : `${address}:${port}`;

/** Knows which servers the targets' names stand for, and how they are. */
export class Backends {
  readonly #probe = new ReadinessProbe();
  readonly #known = new Map<string, Known>();

  constructor(private readonly options: BackendOptions) {}

  /** Servers for new connections, and those that have just been given up: nobody will answer there. */
  async look(): Promise<{ readonly ready: readonly Found[]; readonly gone: readonly Known[] }> {
    const { to, check } = this.options;
    const found = (await Promise.all(to.map((target) => this.#find(target)))).flat();
    if (check === 'none') return { ready: found, gone: [] };
    for (const one of found)
      if (!this.#known.has(this.#keyOf(one))) this.#known.set(this.#keyOf(one), this.#start(one));
    const ready = new Set<string>();
    const asked = [...this.#known].map(async ([key, one]) => {
      if ((await this.#ask(one)) === 'ready') ready.add(key);
    });
    await Promise.all(asked);
    const gone = [...this.#known.values()].filter((one) => this.#isGone(one));
    for (const one of gone) one.hasServed = false;
    this.#forget(new Set(found.map((one) => this.#keyOf(one))));
    return { ready: found.filter((one) => ready.has(this.#keyOf(one))), gone };
  }

  close(): void {
    this.#probe.close();
  }

  /** A name server that takes long must not hold up what is known. */
  async #find(target: Target): Promise<Found[]> {
    const { clock, timeoutMs } = this.options;
    const late = new AbortController();
    const patience = clock.sleep(timeoutMs, late.signal).then(
      () => [],
      () => [],
    );
    const found = await Promise.race([addressesOf(target.host), patience]);
    late.abort();
    return found.map((address) => ({ ...target, address }));
  }

  #start({ address, port = this.options.defaultPort }: Found): Known {
    return { address, port, unanswered: 0, hasServed: false };
  }

  #keyOf(one: Found): string {
    return textOf(this.#start(one));
  }

  async #ask(one: Known): Promise<Readiness> {
    const readiness = await this.#probe.ask(one.address, one.port, this.options.timeoutMs);
    one.unanswered = readiness === 'silent' ? one.unanswered + 1 : 0;
    one.hasServed ||= readiness === 'ready';
    return readiness;
  }

  #isGone({ hasServed, unanswered }: Known): boolean {
    const { fall } = this.options;
    return fall > 0 && hasServed && unanswered >= fall;
  }

  /** A name may go while its server serves on, and the connections to it: what is known is asked until it is gone. */
  #forget(wanted: ReadonlySet<string>): void {
    for (const [key, { unanswered }] of this.#known)
      if (!wanted.has(key) && unanswered > 0 && unanswered >= this.options.fall)
        this.#known.delete(key);
  }
}
