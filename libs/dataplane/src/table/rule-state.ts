import type { Cancel, Clock, Random } from '@orrery/component';
import { AddressRange } from '../address-range.js';
import { createPolicy } from '../policies/policy.js';
import type { Policy } from '../policies/policy.js';
import { backendKey } from '../rule-set.js';
import type { Backend, ServiceRule } from '../rule-set.js';
import { EndpointState } from './endpoint-state.js';
import type { Connection } from './endpoint-state.js';

/** Client addresses remembered for one rule before the oldest are forgotten. */
const MAX_AFFINITY = 10_000;
const NONE: ReadonlySet<string> = new Set();

const rangesOf = (texts: readonly string[] = []): AddressRange[] =>
  texts.flatMap((text) => AddressRange.parse(text) ?? []);

/** Every backend of a rule, whoever its clients are. */
export const backendsOf = ({ backends, inside }: ServiceRule): readonly Backend[] =>
  inside ? [...backends, ...inside.backends] : backends;

interface Affinity {
  readonly backend: string;
  expiresAt: number;
}

/** The client and the address it called; the client's address costs a system call when it is first read. */
export interface FlowSource {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly frontendAddress: string;
}

export interface RuleStateOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Time that connections of a removed backend live on; 0 = until one side closes. */
  readonly drainMs: number;
}

/** One rule in force, with what its policy, its affinity and its open connections must remember across changes. */
export class RuleState {
  private policy: Policy;
  private allowed: readonly AddressRange[] | undefined;
  private inside: readonly AddressRange[] = [];
  private backends = new Map<string, Backend>();
  private readonly affinity = new Map<string, Affinity>();
  private readonly endpoints = new Map<string, EndpointState>();
  private readonly draining = new Map<string, Cancel>();
  /** Connections and sessions open to any backend. */
  openCount = 0;
  /** Connections refused because of `maxConnections`. */
  limited = 0;

  constructor(
    private current: ServiceRule,
    private readonly options: RuleStateOptions,
  ) {
    this.policy = createPolicy(current.policy, options.random);
    this.replace(current);
  }

  get rule(): ServiceRule {
    return this.current;
  }

  replace(rule: ServiceRule): void {
    if (rule.policy !== this.current.policy)
      this.policy = createPolicy(rule.policy, this.options.random);
    this.current = rule;
    this.allowed = rule.allowedSources && rangesOf(rule.allowedSources);
    this.inside = rangesOf(rule.inside?.sources);
    this.backends = new Map(backendsOf(rule).map((backend) => [backendKey(backend), backend]));
    for (const key of this.endpoints.keys()) this.drainOrKeep(key);
  }

  /** The rule has gone: its backends are removed. */
  retire(): void {
    const { inside: _, ...rule } = this.current;
    this.replace({ ...rule, backends: [] });
  }

  hasBackend(key: string): boolean {
    return this.backends.has(key);
  }

  /** Whether loadBalancerSourceRanges let this client in. */
  admits(source: FlowSource): boolean {
    return this.allowed?.some((range) => range.contains(source.clientAddress)) ?? true;
  }

  /** Whether one more connection is within the rule's limit; a refusal is counted. */
  hasRoom(): boolean {
    const { maxConnections } = this.current;
    if (maxConnections === undefined || this.openCount < maxConnections) return true;
    this.limited += 1;
    return false;
  }

  /** The backend for a new connection, leaving out those that already refused it; undefined when none is left. */
  pick(source: FlowSource, refused: ReadonlySet<string> = NONE): Backend | undefined {
    const all = this.backendsFor(source);
    const candidates = refused.size === 0 ? all : all.filter((b) => !refused.has(backendKey(b)));
    if (candidates.length === 0) return undefined;
    if (this.current.affinityMs === 0) return this.choose(candidates, source);
    const backend =
      this.remembered(source.clientAddress, candidates) ?? this.choose(candidates, source);
    this.remember(source.clientAddress, backend);
    return backend;
  }

  private backendsFor(source: FlowSource): readonly Backend[] {
    const { inside, backends } = this.current;
    if (!inside) return backends;
    // On a local route the kernel gives a client of the host the address that it calls.
    const isInside =
      source.clientAddress === source.frontendAddress ||
      this.inside.some((range) => range.contains(source.clientAddress));
    return isInside ? inside.backends : backends;
  }

  /** The state of a backend to which `connection` opens. */
  open(backend: Backend, connection: Connection): EndpointState {
    const key = backendKey(backend);
    const endpoint = this.endpoints.get(key) ?? new EndpointState(backend);
    this.endpoints.set(key, endpoint);
    endpoint.open.add(connection);
    this.openCount += 1;
    return endpoint;
  }

  closed(endpoint: EndpointState, connection: Connection): void {
    if (!endpoint.open.delete(connection)) return;
    this.openCount -= 1;
    if (endpoint.open.size === 0 && !this.backends.has(endpoint.key)) this.forget(endpoint.key);
  }

  /** Every backend that is in use or has connections left. */
  *states(): Iterable<EndpointState> {
    yield* this.endpoints.values();
  }

  /** Ends the connections to one backend. */
  abortBackend(key: string): void {
    for (const connection of this.endpoints.get(key)?.open ?? []) connection.abort();
  }

  abort(): void {
    for (const key of this.endpoints.keys()) this.abortBackend(key);
    for (const cancel of this.draining.values()) cancel();
    this.draining.clear();
  }

  private choose(candidates: readonly Backend[], source: FlowSource): Backend {
    return this.policy.pick(candidates, {
      get clientAddress() {
        return source.clientAddress;
      },
      get clientPort() {
        return source.clientPort;
      },
      frontendAddress: source.frontendAddress,
      active: (b) => this.endpoints.get(backendKey(b))?.open.size ?? 0,
    });
  }

  private drainOrKeep(key: string): void {
    if (this.backends.has(key)) {
      this.draining.get(key)?.();
      this.draining.delete(key);
      return;
    }
    const endpoint = this.endpoints.get(key);
    if (!endpoint || endpoint.open.size === 0) {
      this.forget(key);
      return;
    }
    const { clock, drainMs } = this.options;
    if (drainMs === 0 || this.draining.has(key)) return;
    const end = (): void => {
      for (const connection of endpoint.open) connection.abort();
    };
    this.draining.set(key, clock.after(drainMs, end, { unref: true }));
  }

  private forget(key: string): void {
    this.draining.get(key)?.();
    this.draining.delete(key);
    this.endpoints.delete(key);
  }

  private remembered(client: string, candidates: readonly Backend[]): Backend | undefined {
    const entry = this.affinity.get(client);
    if (!entry || entry.expiresAt < this.options.clock.monotonic()) return undefined;
    return candidates.find((candidate) => backendKey(candidate) === entry.backend);
  }

  private remember(client: string, backend: Backend): void {
    this.affinity.delete(client);
    this.affinity.set(client, {
      backend: backendKey(backend),
      expiresAt: this.options.clock.monotonic() + this.current.affinityMs,
    });
    if (this.affinity.size > MAX_AFFINITY) {
      const oldest = this.affinity.keys().next().value;
      if (oldest !== undefined) this.affinity.delete(oldest);
    }
  }
}
