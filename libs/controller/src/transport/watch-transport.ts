import type { CustomTransportStrategy } from '@nestjs/microservices';
import { Server } from '@nestjs/microservices';
import type { ObjectKey } from '@orrery/apimachinery';
import { lastValueFrom } from 'rxjs';
import type { ControllerDefinition } from '../definition.js';
import type { RunnerOptions } from '../controller-runner.js';
import { ControllerRunner } from '../controller-runner.js';
import type { Result } from '../reconciler.js';

export interface WatchTransportOptions extends RunnerOptions {
  /** The ordered list of controllers; those without a handler are an error. */
  readonly definitions: readonly ControllerDefinition[];
  /** Runs `lead` while this process may act: LeaderElector.start, or {@link leadAlways}. */
  readonly whileLeading: (
    signal: AbortSignal,
    lead: (term: AbortSignal, since?: string) => Promise<void>,
  ) => Promise<void>;
}

/** What a handler gets beside the key. */
export interface WatchContext {
  readonly controller: string;
  /** Aborts when the handler should stop: the process ends, or another leads. */
  readonly signal: AbortSignal;
}

/** `whileLeading` without election. */
export const leadAlways: WatchTransportOptions['whileLeading'] = (signal, lead) => lead(signal);

/**
 * A Nest microservice transport over watches: patterns are controllers' names, messages are keys of their work
 * queues. Informers run and queues fill from `listen` on (hot standby); handlers are called while leading.
 * Use with {@link ReconcileErrorFilter}, so that a handler's error reaches the queue as it was thrown.
 */
export class WatchTransport extends Server implements CustomTransportStrategy {
  readonly #stop = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(private readonly options: WatchTransportOptions) {
    super();
  }

  /** Resolves when everything has stopped; rejects when a loop failed. */
  get stopped(): Promise<unknown> {
    return this.#running ?? Promise.resolve();
  }

  listen(callback: (error?: unknown) => void): void {
    try {
      const runners = this.options.definitions.map((definition) => this.#runnerOf(definition));
      this.#running = this.#run(runners);
      callback();
    } catch (error) {
      callback(error);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the transport is closed'));
    await this.#running;
  }

  on(): void {
    throw new TypeError('the watch transport has no events');
  }

  unwrap<T>(): T {
    throw new TypeError('the watch transport has no server behind it');
  }

  async #run(runners: readonly ControllerRunner[]): Promise<void> {
    const { signal } = this.#stop;
    const informing = this.options.informers.start(signal);
    const lead = async (term: AbortSignal, since?: string): Promise<void> => {
      // The caches of a standby may not show yet what the leader before it did.
      if (since !== undefined) await this.options.informers.catchUp(since, term);
      await Promise.all(runners.map((runner) => runner.run(term)));
    };
    try {
      await Promise.all([informing, this.options.whileLeading(signal, lead)]);
    } finally {
      for (const runner of runners) runner.close();
    }
  }

  #runnerOf(definition: ControllerDefinition): ControllerRunner {
    const { name } = definition;
    const handler = this.getHandlerByPattern(name);
    if (!handler) throw new TypeError(`controller ${name} has no handler`);
    const handle = async (key: ObjectKey, signal: AbortSignal): Promise<Result | undefined> => {
      const context: WatchContext = { controller: name, signal };
      const answer = this.transformToObservable<Result | undefined>(await handler(key, context));
      return lastValueFrom(answer, { defaultValue: undefined });
    };
    const logger = this.options.logger.child({ controller: name });
    return new ControllerRunner(definition, handle, { ...this.options, logger });
  }
}
