import type { Random } from '@orrery/component';
import type { History } from '../history/history.js';
import type { InformerRecord } from '../history/informer-record.js';
import type { Operation } from '../history/operation.js';
import type { WatchRecord } from '../history/watch-record.js';
import { EventQueue } from './event-queue.js';
import { chance, createSeededRandom, pickNumber } from './seeded-random.js';
import { SimulatedClient } from './simulated-client.js';
import { startInformer, startWatcher } from './simulated-observer.js';
import { SimulatedStore } from './simulated-store.js';

export interface GeneratorOptions {
  readonly seed: number;
  /** Operations in all; default 300. */
  readonly operations?: number;
  /** Default 8. */
  readonly clients?: number;
  /** Objects, half of them in `ns1`, half in `ns10`; default 10. */
  readonly keys?: number;
  /** Share of the writes whose answer is lost; default 0.02. */
  readonly unknownRate?: number;
  /** Share of the operations that are lists; default 0.1. */
  readonly listRate?: number;
  /** Watchers and informers; default true. */
  readonly observers?: boolean;
  /** Longest way of a message, in milliseconds; default 5. */
  readonly latencyMs?: number;
}

const RESOURCE = 'configmaps';
const SCOPES = [RESOURCE, `${RESOURCE}/ns1`, `${RESOURCE}/ns10`] as const;
const LEASES = ['leases/kube-system/a', 'leases/kube-system/b'] as const;

/** A legal history: concurrent clients, watches and informers on a store that is strictly serializable by construction. */
export function generateHistory(options: GeneratorOptions): History {
  const settings: Required<GeneratorOptions> = {
    operations: 300,
    clients: 8,
    keys: 10,
    unknownRate: 0.02,
    listRate: 0.1,
    observers: true,
    latencyMs: 5,
    ...options,
  };
  return new Simulation(settings, createSeededRandom(settings.seed)).run();
}

class Simulation {
  private readonly queue = new EventQueue();
  private readonly store: SimulatedStore;
  private readonly operations: Operation[] = [];
  private readonly watches: WatchRecord[] = [];
  private readonly informers: InformerRecord[] = [];
  private readonly latency: number;
  private ids = 0;
  private lastSeen = 0;

  constructor(
    private readonly settings: Required<GeneratorOptions>,
    private readonly random: Random,
  ) {
    this.latency = settings.latencyMs * 1e6;
    this.store = new SimulatedStore(random, () => this.seenAt());
  }

  run(): History {
    this.startClients();
    this.startStranger();
    if (this.settings.observers) this.startObservers();
    this.queue.run();
    const middle = this.queue.now / 2;
    return {
      labels: { seed: String(this.settings.seed), source: 'generator' },
      operations: this.operations,
      events: this.store.events,
      coverage: { contiguousFrom: 1, complete: true },
      watches: this.watches,
      informers: this.informers,
      faults: [{ name: 'simulated', from: middle, to: middle * 1.1 }],
    };
  }

  /** The watcher sees events in order, a little late. */
  private seenAt(): number {
    const late = this.queue.now + 1 + pickNumber(this.random, this.latency);
    this.lastSeen = Math.max(this.lastSeen, late);
    return this.lastSeen;
  }

  private startClients(): void {
    const { clients, keys, unknownRate, listRate, operations } = this.settings;
    const names = Array.from(
      { length: keys },
      (_, i) => `${RESOURCE}/${i % 2 === 0 ? 'ns1' : 'ns10'}/k${i >> 1}`,
    );
    const world = {
      queue: this.queue,
      store: this.store,
      random: this.random,
      nextId: () => (this.ids < operations ? ++this.ids : undefined),
      record: (operation: Operation) => void this.operations.push(operation),
    };
    for (let i = 0; i < clients; i++) {
      const name = `c${i}`;
      const own = { name, keys: names, scopes: SCOPES, unknownRate, listRate };
      new SimulatedClient({ ...own, latency: this.latency }, world).start();
    }
  }

  /** Somebody else who writes two keys in one transaction from time to time. */
  private startStranger(): void {
    const write = (time: number): void => {
      this.store.putTogether(LEASES, `t${this.store.rv}`);
      if (!this.isDone()) this.queue.at(time + this.latency * 8, write);
    };
    this.queue.at(1, write);
  }

  private isDone(): boolean {
    return this.ids >= this.settings.operations;
  }

  private startObservers(): void {
    let quietFrom: number | undefined;
    const isQuiet = (): boolean => {
      if (!this.isDone()) return false;
      quietFrom ??= this.queue.now + this.latency * 60;
      return this.queue.now >= quietFrom;
    };
    const { queue, store, random, latency } = this;
    const world = { queue, store, random, interval: latency * 4, isQuiet };
    for (const [i, scope] of [...SCOPES, 'leases'].entries()) {
      const selector = chance(random, 0.5) && scope !== 'leases' ? { selector: { app: 'a' } } : {};
      const record = (watch: WatchRecord): void => void this.watches.push(watch);
      startWatcher({ name: `w${i}`, scope, ...selector }, world, record);
      startWatcher({ name: `v${i}`, scope }, world, record);
      startInformer({ name: `i${i}`, scope, ...selector }, world, (informer) => {
        this.informers.push(informer);
      });
    }
  }
}
