import { reachablePort } from '@orrery/component';
import type { Clock, Random } from '@orrery/component';
import { DialGuard } from './address-range.js';
import type { FrontendContext, FrontendListener } from './frontend.js';
import type { FrontendProblem, RuleChanges, RuleSet } from './rule-set.js';
import { Counters } from './table/counters.js';
import { ServiceTable } from './table/service-table.js';
import type { FrontendKey } from './table/service-table.js';
import { TcpFrontend } from './tcp/tcp-frontend.js';
import { PERMIT_ALL } from './traffic-policy.js';
import type { TrafficPolicy } from './traffic-policy.js';
import { UdpFrontend } from './udp/udp-frontend.js';

const DEFAULT_DIAL_TIMEOUT_MS = 2_000;

export interface DataplaneOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Ranges whose addresses may be dialled as backends: the pod CIDR and the nodes' addresses. */
  readonly allowedBackends: readonly string[];
  /** Time for a backend to accept. Default 2 s. */
  readonly dialTimeoutMs?: number;
  /** NetworkPolicy: which flows may reach their backend. Default all. */
  readonly policy?: TrafficPolicy;
}

const textOf = (key: FrontendKey): string => `${key.protocol} ${key.address}:${key.port}`;

/** A host's service dataplane: keeps one listener for each frontend that a rule with backends wants. */
export class Dataplane {
  readonly counters = new Counters();
  private readonly table: ServiceTable;
  private readonly context: { -readonly [K in keyof FrontendContext]: FrontendContext[K] };
  private readonly listeners = new Map<string, FrontendListener>();
  private readonly problems = new Map<string, FrontendProblem>();
  private turn: Promise<void> = Promise.resolve();

  constructor(options: DataplaneOptions) {
    this.table = new ServiceTable(options.clock, options.random);
    this.context = {
      table: this.table,
      guard: new DialGuard(options.allowedBackends),
      policy: options.policy ?? PERMIT_ALL,
      counters: this.counters,
      clock: options.clock,
      reachablePort: (port) => reachablePort(port),
      dialTimeoutMs: options.dialTimeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS,
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

  view(): ReturnType<ServiceTable['view']> {
    return this.table.view();
  }

  destroy(): void {
    for (const listener of this.listeners.values()) listener.destroy();
    this.listeners.clear();
  }

  /** Opens and closes listeners until they are those of the table; one run at a time. */
  private settle(): Promise<readonly FrontendProblem[]> {
    const run = this.turn.then(() => this.reconcile());
    this.turn = run.catch(() => undefined);
    return run.then(() => [...this.problems.values()]);
  }

  private async reconcile(): Promise<void> {
    const wanted = new Map<string, FrontendKey & { readonly rule: string }>();
    for (const frontend of this.table.wanted())
      // Without backends a TCP port is closed, so that a client is refused at once; UDP datagrams are dropped and counted.
      if (frontend.hasBackends || frontend.protocol === 'UDP')
        wanted.set(textOf(frontend), frontend);
    for (const [text, listener] of this.listeners) {
      if (wanted.has(text)) {
        listener.rulesChanged();
        continue;
      }
      listener.close();
      this.listeners.delete(text);
    }
    for (const text of this.problems.keys()) if (!wanted.has(text)) this.problems.delete(text);
    await Promise.all(
      [...wanted]
        .filter(([text]) => !this.listeners.has(text))
        .map(([text, key]) => this.open(text, key)),
    );
  }

  private async open(text: string, wanted: FrontendKey & { readonly rule: string }): Promise<void> {
    const { rule, protocol, address, port } = wanted;
    const key: FrontendKey = { protocol, address, port };
    const listener =
      protocol === 'TCP' ? new TcpFrontend(key, this.context) : new UdpFrontend(key, this.context);
    try {
      await listener.listen();
      this.listeners.set(text, listener);
      this.problems.delete(text);
    } catch (error) {
      this.counters.listenFailures += 1;
      this.problems.set(text, {
        rule,
        address,
        port,
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }
}
