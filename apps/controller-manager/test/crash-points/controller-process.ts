import type { ObjectKey } from '@orrery/apimachinery';
import { toKeyString } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import { SystemClock, createMetrics, parseFlags } from '@orrery/component';
import { ControllerRunner, GuardedClient, WriteFence, noEvents } from '@orrery/controller';
import type { ControllerDefinition } from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';
import { accountOf } from '../../src/account-names.js';
import { ControllerManagerFlags, toOptions } from '../../src/config/options.js';
import type { ControllerContext, ControllerEntry } from '../../src/controller-entry.js';

export interface ProcessParts {
  /** What caches are filled by. */
  readonly client: KubeClient;
  /** As whom each controller writes. */
  readonly clientOf: (account: string) => KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly flags: readonly string[];
}

/** Work that falls due within this time is waited for. */
const SOON_MS = 300;

/** Some controllers with caches and queues of their own, as after a start of kube-controller-manager. */
export class ControllerProcess {
  readonly metrics: Metrics = createMetrics();
  readonly #life = new AbortController();
  readonly #runners: readonly ControllerRunner[];
  readonly #running: Promise<unknown>;
  /** Every key that was seen, and how to have it reconciled again. */
  readonly #pokes = new Map<string, () => void>();

  constructor(entries: readonly ControllerEntry[], parts: ProcessParts) {
    const { client, clock, logger, random } = parts;
    const informers = new InformerFactory({ client, clock, random, logger });
    // The world's clock is put ahead faster than caches follow: by it, writes would be taken for seen that are not.
    const fence = new WriteFence(new SystemClock());
    const options = toOptions(
      parseFlags(ControllerManagerFlags, ['--kubeconfig=none', ...parts.flags], 'process'),
    );
    const guarded = (inner: KubeClient) => new GuardedClient({ client: inner, informers, fence });
    const { metrics } = this;
    const contextOf = (account: string | undefined): ControllerContext => ({
      client: guarded(account === undefined ? client : parts.clientOf(account)),
      informers,
      events: () => noEvents,
      clock,
      random,
      logger,
      metrics,
      options,
    });
    this.#runners = entries.map((entry) => {
      const context = contextOf(accountOf(entry.name));
      const reconciler = entry.create(context);
      const handle = (key: ObjectKey, signal: AbortSignal) => reconciler.reconcile(key, signal);
      const definition = this.#pokeable(entry.definition(context));
      return new ControllerRunner(definition, handle, { informers, fence, clock, logger });
    });
    const { signal } = this.#life;
    this.#running = Promise.all([
      informers.start(signal),
      ...this.#runners.map((runner) => runner.run(signal)),
    ]);
    this.#running.catch((error: unknown) => {
      logger.error('the process failed', error);
    });
  }

  /** Keys that wait, are in work, or soon will be. */
  get busy(): number {
    return this.#runners.reduce((sum, runner) => sum + runner.busy(SOON_MS), 0);
  }

  /** Has every key that was ever seen reconciled again. */
  poke(): void {
    for (const again of this.#pokes.values()) again();
  }

  /** Ends the process where it stands; resolves when nothing of it runs. */
  async kill(): Promise<void> {
    this.#life.abort(new Error('killed'));
    for (const runner of this.#runners) runner.close();
    await this.#running.catch(() => undefined);
  }

  #pokeable(definition: ControllerDefinition): ControllerDefinition {
    const note = (keys: readonly ObjectKey[]): readonly ObjectKey[] => {
      for (const key of keys)
        this.#pokes.set(`${definition.name}|${toKeyString(key)}`, () => {
          add(key);
        });
      return keys;
    };
    let add: (key: ObjectKey) => void = () => undefined;
    const watches = definition.watches.map((watch) => ({
      ...watch,
      map: (object: Parameters<typeof watch.map>[0]) => note(watch.map(object)),
    }));
    const source: ControllerDefinition['source'] = (queue) => {
      add = queue;
      definition.source?.((key, revision) => {
        note([key]);
        queue(key, revision);
      });
    };
    return { ...definition, watches, source };
  }
}
