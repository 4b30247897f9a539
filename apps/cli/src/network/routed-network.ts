import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { removeAllRoutes, removeRoute, setRoute } from './ip-route.js';
import { desiredRoutes, routeChanges } from './routes.js';
import type { Route } from './routes.js';

const RETRY_MS = 1_000;

export interface RoutedNetworkOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly serviceCidr: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Keeps the routes of this node's network stack as the Node objects want them. */
export class RoutedNetwork {
  readonly #inForce = new Map<string, Route>();
  readonly #informers: InformerFactory;
  #isDirty = false;
  #working: Promise<void> | undefined;

  constructor(private readonly options: RoutedNetworkOptions) {
    this.#informers = new InformerFactory(options);
  }

  /** Sets the service range; throws ConfigError when this process may not set routes. */
  async prepare(): Promise<void> {
    await removeAllRoutes();
    await this.#apply(desiredRoutes([], this.options.nodeName, this.options.serviceCidr));
  }

  /** Follows the nodes until the signal aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const changed = (): void => {
      this.#isDirty = true;
      this.#working ??= this.#work(signal).finally(() => (this.#working = undefined));
    };
    this.#informers
      .informer(resources.nodes)
      .addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed });
    await this.#informers.start(signal);
    await this.#working;
  }

  /** Resolves when the nodes known at the start have their routes. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#informers.waitForSync(signal);
    await this.#working;
  }

  async #work(signal: AbortSignal): Promise<void> {
    const nodes = this.#informers.informer(resources.nodes).lister;
    while (this.#isDirty && !signal.aborted) {
      this.#isDirty = false;
      const wanted = desiredRoutes(nodes.list(), this.options.nodeName, this.options.serviceCidr);
      try {
        await this.#apply(wanted);
      } catch (error) {
        this.options.logger.error('cannot set the routes', error);
        this.#isDirty = true;
        await this.options.clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  async #apply(wanted: readonly Route[]): Promise<void> {
    const { remove, add } = routeChanges(this.#inForce, wanted);
    for (const route of remove) {
      await removeRoute(route);
      this.#inForce.delete(route.to);
      this.options.logger.info('route removed', { to: route.to });
    }
    for (const route of add) {
      await setRoute(route);
      this.#inForce.set(route.to, route);
      const via = route.kind === 'via' ? route.via : 'this node';
      this.options.logger.info('route set', { to: route.to, via });
    }
  }
}
