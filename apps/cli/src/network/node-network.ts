import { resources } from '@orrery/api';
import type { Node } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import { InformerFactory } from '@orrery/informers';
import { removeAllRoutes, removeRoute, setRoute } from './ip-route.js';
import { NodeReport } from './node-report.js';
import { PodBridge } from './pod-bridge.js';
import { desiredRoutes, podCidrsOf, routeChanges } from './routes.js';
import type { Route, RouteMode } from './routes.js';

const RETRY_MS = 1_000;

export interface NodeNetworkOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly mode: RouteMode;
  readonly serviceCidrs: readonly string[];
  readonly clusterCidrs: readonly string[];
  /** For the CNI configuration of modes with a bridge. */
  readonly confDir: string;
  readonly dataDir: string;
  /** What this node stack was given is taken back at the end: where it is not the node's own. */
  readonly cleansUp: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const hasBridge = (mode: RouteMode): boolean => mode === 'host-gw' || mode === 'vxlan';

/**
 * Keeps this node's part of the pod network as the Node objects want it: routes, and in modes with a bridge the tunnel and
 * the CNI configuration, without which the node is not ready.
 */
export class NodeNetwork {
  readonly #inForce = new Map<string, Route>();
  readonly #informers: InformerFactory;
  readonly #bridge: PodBridge | undefined;
  readonly #report: NodeReport;
  #isDirty = false;
  #isUp = false;
  #working: Promise<void> | undefined;

  constructor(private readonly options: NodeNetworkOptions) {
    this.#informers = new InformerFactory(options);
    this.#bridge = hasBridge(options.mode) ? new PodBridge(options) : undefined;
    this.#report = new NodeReport(options);
  }

  /** Sets the service range; throws ConfigError when this process may not set routes. */
  async prepare(): Promise<void> {
    this.#bridge?.forget();
    await removeAllRoutes();
    await this.#apply(desiredRoutes([], this.#routeOptions()));
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
    if (this.options.cleansUp) await (this.#bridge?.remove() ?? removeAllRoutes());
  }

  /**
   * Resolves when this node's own addresses are there, as far as its Node object names them. Routes to other nodes
   * may come later: after a restart of all, their addresses are known only when their kubelets have said them.
   */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#informers.waitForSync(signal);
    for (const route of this.#wanted()) if (route.kind === 'local') await setRoute(route);
  }

  #routeOptions(): { self: string; serviceCidrs: readonly string[]; mode: RouteMode } {
    const { nodeName, serviceCidrs, mode } = this.options;
    return { self: nodeName, serviceCidrs, mode };
  }

  #nodes(): readonly Node[] {
    return this.#informers.informer(resources.nodes).lister.list();
  }

  #wanted(): readonly Route[] {
    return desiredRoutes(this.#nodes(), this.#routeOptions());
  }

  async #work(signal: AbortSignal): Promise<void> {
    let lastProblem = '';
    while (this.#isDirty && !signal.aborted) {
      this.#isDirty = false;
      try {
        await this.#settle();
        lastProblem = '';
      } catch (error) {
        if (String(error) !== lastProblem)
          this.options.logger.error('the pod network is not as it should be; trying again', error);
        lastProblem = String(error);
        this.#isDirty = true;
        await this.options.clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  async #settle(): Promise<void> {
    const self = this.#nodes().find(({ metadata }) => metadata.name === this.options.nodeName);
    const podCidrs = self ? podCidrsOf(self) : [];
    if (self && !this.#isUp) await this.#report.unavailable(self);
    if (this.#bridge && podCidrs.length > 0 && !this.#isUp) await this.#bridge.prepare(podCidrs);
    if (this.#bridge && podCidrs.length === 0) return;
    await this.#apply(this.#wanted());
    if (!self || podCidrs.length === 0) return;
    if (!this.#isUp) await this.#bridge?.announce(podCidrs);
    this.#isUp = true;
    await this.#report.available(self);
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
    const via = route.kind === 'local' ? 'this node' : route.via;
    this.options.logger.info('route set', { to: route.to, via });
  }
}
