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

  /**
   * Resolves when this node's own addresses are there, as far as its Node object names them. Routes to other nodes
   * may come later: after a restart of all, their addresses are known only when their kubelets have said them.
   */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#informers.waitForSync(signal);
    for (const route of this.#wanted()) if (route.kind === 'local') await setRoute(route);
  }

  #wanted(): readonly Route[] {
    const nodes = this.#informers.informer(resources.nodes).lister.list();
    return desiredRoutes(nodes, this.options.nodeName, this.options.serviceCidr);
  }

  async #work(signal: AbortSignal): Promise<void> {
    let lastProblem = '';
    while (this.#isDirty && !signal.aborted) {
      this.#isDirty = false;
      try {
        await this.#apply(this.#wanted());
        lastProblem = '';
      } catch (error) {
        if (String(error) !== lastProblem)
          this.options.logger.error('cannot set a route; trying again', error);
        lastProblem = String(error);
        this.#isDirty = true;
        await this.options.clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  /** Sets every route that can be set, then throws for one that cannot. */
  async #apply(wanted: readonly Route[]): Promise<void> {
    const { remove, add } = routeChanges(this.#inForce, wanted);
    const problems: unknown[] = [];
    for (const route of [...remove, ...add])
      try {
        await (add.includes(route) ? this.#add(route) : this.#remove(route));
      } catch (error) {
        problems.push(error);
      }
    if (problems.length > 0) throw problems[0];
  }

  async #remove(route: Route): Promise<void> {
    await removeRoute(route);
    this.#inForce.delete(route.to);
    this.options.logger.info('route removed', { to: route.to });
  }

  async #add(route: Route): Promise<void> {
    await setRoute(route);
    this.#inForce.set(route.to, route);
    const via = route.kind === 'via' ? route.via : 'this node';
    this.options.logger.info('route set', { to: route.to, via });
  }
}
