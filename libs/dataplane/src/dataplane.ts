import { reachablePort } from '@orrery/component';
import type { Clock, Random } from '@orrery/component';
import { DialGuard } from './address-range.js';
import { Descriptors } from './descriptors.js';
import type { FrontendContext, FrontendListener } from './frontend.js';
import type { OfferedHandle } from './handover/handle-channel.js';
import { InheritedHandles } from './handover/inherited-handles.js';
import { backendKey } from './rule-set.js';
import type { Backend, FrontendProblem, RuleChanges, RuleSet } from './rule-set.js';
import { Counters } from './table/counters.js';
import { ServiceTable } from './table/service-table.js';
import type { WantedFrontend } from './table/service-table.js';
import { TcpFrontend } from './tcp/tcp-frontend.js';
import { PERMIT_ALL } from './traffic-policy.js';
import type { TrafficPolicy } from './traffic-policy.js';
import { UdpFrontend } from './udp/udp-frontend.js';

const DEFAULT_DIAL_TIMEOUT_MS = 2_000;
const DEFAULT_UDP_IDLE_MS = 60_000;
const DEFAULT_MAX_UDP_SESSIONS = 8_192;

/**
 * Which frontends this process serves: all of them, or, as one of several processes that share ports, those whose every
 * choice stands alone. A rotation, an affinity or a count of connections is kept by one process.
 */
export type DataplaneRole = 'alone' | 'first' | 'further';

export interface DataplaneOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Ranges whose addresses may be dialled as backends: the pod CIDR. */
  readonly allowedBackends: readonly string[];
  /** Ranges of the nodes, where backends must say what they are; see DialGuard. */
  readonly allowedNodes?: readonly string[];
  /** Time for a backend to accept. Default 2 s. */
  readonly dialTimeoutMs?: number;
  /** NetworkPolicy: which flows may reach their backend. Default all. */
  readonly policy?: TrafficPolicy;
  /** Time that established connections of a removed backend live on. Default 0: until one side closes, as with conntrack. */
  readonly drainMs?: number;
  /** Idle time after which a UDP session is forgotten. Default 60 s. */
  readonly udpIdleMs?: number;
  /** UDP sessions of one frontend; beyond it the least recently used one goes. Default 8192. */
  readonly maxUdpSessions?: number;
  /** File descriptors that may be used. Default: what the process's limit leaves. */
  readonly maxDescriptors?: number;
  /** Default alone. */
  readonly role?: DataplaneRole;
}

/** A host's service dataplane: keeps one listener for each frontend that a rule with backends wants. */
export class Dataplane {
  readonly counters = new Counters();
  private readonly table: ServiceTable;
  private readonly context: { -readonly [K in keyof FrontendContext]: FrontendContext[K] };
  private readonly listeners = new Map<string, FrontendListener>();
  private readonly problems = new Map<string, FrontendProblem>();
  private readonly role: DataplaneRole;
  private turn: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(options: DataplaneOptions) {
    const { clock, random, drainMs = 0 } = options;
    this.role = options.role ?? 'alone';
    this.table = new ServiceTable({ clock, random, drainMs });
    this.context = {
      table: this.table,
      guard: new DialGuard(options.allowedBackends, options.allowedNodes),
      policy: options.policy ?? PERMIT_ALL,
      counters: this.counters,
      descriptors: new Descriptors(options.maxDescriptors),
      clock,
      reachablePort: (port) => reachablePort(port),
      dialTimeoutMs: options.dialTimeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS,
      isShared: this.role !== 'alone',
      inherited: new InheritedHandles(),
      udpIdleMs: options.udpIdleMs ?? DEFAULT_UDP_IDLE_MS,
      maxUdpSessions: options.maxUdpSessions ?? DEFAULT_MAX_UDP_SESSIONS,
    };
  }

  /** Puts a node's rules in force instead of those it had; answers the frontends that cannot be served. */
  replace(set: RuleSet): Promise<readonly FrontendProblem[]> {
    this.table.replace(set);
    return this.settle();
  }

  /** Applies a node's changes; undefined when this dataplane does not know the node (it must send its whole set). */
  change(node: string, changes: RuleChanges): Promise<readonly FrontendProblem[]> | undefined {
    if (!this.table.has(node)) return undefined;
    this.table.change(node, changes);
    return this.settle();
  }

  /** Puts another policy in force: established TCP connections live on, UDP sessions that it forbids end. */
  setPolicy(policy: TrafficPolicy): void {
    this.context.policy = policy;
    for (const listener of this.listeners.values()) listener.rulesChanged();
  }

  /** Resets the connections to a backend that nobody will answer from: a change of rules alone lets them live on. */
  resetBackend(backend: Pick<Backend, 'address' | 'port'>): void {
    this.table.abortBackend(backendKey(backend));
  }

  view(): ReturnType<ServiceTable['view']> {
    return this.table.view();
  }

  connections(): ReturnType<ServiceTable['connections']> {
    return this.table.connections();
  }

  /** Every node's rules, as they were programmed. */
  sets(): readonly RuleSet[] {
    return this.table.sets();
  }

  /** Frontends that are served now, as `TCP address:port`. */
  listening(): readonly string[] {
    return [...this.listeners.keys()];
  }

  /** The sockets on which it listens, for a successor. */
  handles(): readonly OfferedHandle[] {
    return [...this.listeners].flatMap(([text, listener]) =>
      listener.handles().map((handle) => ({ text, handle })),
    );
  }

  /** Sockets that another process has open: frontends that are opened from now on use them. */
  inherit(offered: readonly OfferedHandle[]): void {
    this.context.inherited.add(offered);
  }

  /** Closes what was inherited and no frontend wants. */
  dropInherited(): void {
    this.context.inherited.close();
  }

  /** Takes no new connections for good; established TCP connections live on. */
  async closeListeners(): Promise<void> {
    this.isClosed = true;
    const closing = [...this.listeners.values()].map((listener) => listener.close());
    this.listeners.clear();
    await Promise.all(closing);
  }

  destroy(): void {
    this.isClosed = true;
    for (const listener of this.listeners.values()) listener.destroy();
    this.listeners.clear();
    this.table.abort();
  }

  /** Tries again to open what could not be bound. */
  retry(): Promise<readonly FrontendProblem[]> {
    return this.settle();
  }

  /**
   * Opens and closes listeners until they are those of the table, as far as that has changed or could not be done before;
   * one run at a time.
   */
  private settle(): Promise<readonly FrontendProblem[]> {
    const run = this.turn.then(() => this.reconcile());
    this.turn = run.catch(() => undefined);
    return run.then(() => [...this.problems.values()]);
  }

  private isServed(frontend: WantedFrontend): boolean {
    // Without backends a TCP port is closed, so that a client is refused at once; UDP datagrams are dropped and counted.
    if (frontend.protocol === 'UDP') return this.role !== 'further';
    return frontend.hasBackends && (this.role !== 'further' || !frontend.isStateful);
  }

  private async reconcile(): Promise<void> {
    if (this.isClosed) return;
    const missing: WantedFrontend[] = [];
    for (const text of new Set([...this.table.takeTouched(), ...this.problems.keys()])) {
      const wanted = this.table.wanted(text);
      const listener = this.listeners.get(text);
      if (wanted && this.isServed(wanted)) {
        if (listener) listener.rulesChanged();
        else missing.push(wanted);
        continue;
      }
      // Whoever waits to be accepted would be refused: there is no rule.
      listener?.destroy();
      this.listeners.delete(text);
      this.problems.delete(text);
    }
    await Promise.all(missing.map((frontend) => this.open(frontend)));
  }

  private async open(wanted: WantedFrontend): Promise<void> {
    const { rule, protocol, address, port, text } = wanted;
    const key = { protocol, address, port, text };
    const listener =
      protocol === 'TCP' ? new TcpFrontend(key, this.context) : new UdpFrontend(key, this.context);
    try {
      await listener.listen();
      this.listeners.set(text, listener);
      this.problems.delete(text);
    } catch (error) {
      this.counters.listenFailures += 1;
      const message = error instanceof Error ? error.message : String(error);
      this.problems.set(text, { rule, address, port, message });
    }
  }
}
