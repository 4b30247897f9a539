import type { Clock, Random } from '@orrery/component';
import { createPolicy } from '../policies/policy.js';
import type { Policy } from '../policies/policy.js';
import { backendKey } from '../rule-set.js';
import type { Backend, ServiceRule } from '../rule-set.js';

/** Client addresses remembered for one rule before the oldest are forgotten. */
const MAX_AFFINITY = 10_000;

interface Affinity {
  readonly backend: string;
  expiresAt: number;
}

/** The client and the address it called. */
export interface FlowSource {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly frontendAddress: string;
}

/** One rule in force, with what its policy, its affinity and its open connections must remember across changes. */
export class RuleState {
  private policy: Policy;
  private readonly affinity = new Map<string, Affinity>();
  private readonly active = new Map<string, number>();

  constructor(
    private current: ServiceRule,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {
    this.policy = createPolicy(current.policy, random);
  }

  get rule(): ServiceRule {
    return this.current;
  }

  replace(rule: ServiceRule): void {
    if (rule.policy !== this.current.policy) this.policy = createPolicy(rule.policy, this.random);
    this.current = rule;
  }

  hasBackend(key: string): boolean {
    return this.current.backends.some((backend) => backendKey(backend) === key);
  }

  /** The backend for a new connection, leaving out those that already refused it; undefined when none is left. */
  pick(source: FlowSource, refused: ReadonlySet<string> = new Set()): Backend | undefined {
    const all = this.current.backends;
    const candidates = refused.size === 0 ? all : all.filter((b) => !refused.has(backendKey(b)));
    if (candidates.length === 0) return undefined;
    const remembered = this.remembered(source.clientAddress, candidates);
    if (remembered) return remembered;
    const backend = this.policy.pick(candidates, {
      ...source,
      active: (b) => this.active.get(backendKey(b)) ?? 0,
    });
    this.remember(source.clientAddress, backend);
    return backend;
  }

  /** Counts a connection to `key` as open; the returned function counts it as closed, once. */
  open(key: string): () => void {
    this.active.set(key, (this.active.get(key) ?? 0) + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = (this.active.get(key) ?? 1) - 1;
      if (left > 0) this.active.set(key, left);
      else this.active.delete(key);
    };
  }

  /** Open connections by backend. */
  connections(): Record<string, number> {
    return Object.fromEntries(this.active);
  }

  private remembered(client: string, candidates: readonly Backend[]): Backend | undefined {
    if (this.current.affinityMs === 0) return undefined;
    const entry = this.affinity.get(client);
    if (!entry || entry.expiresAt < this.clock.monotonic()) return undefined;
    const backend = candidates.find((candidate) => backendKey(candidate) === entry.backend);
    if (backend) this.remember(client, backend);
    return backend;
  }

  private remember(client: string, backend: Backend): void {
    if (this.current.affinityMs === 0) return;
    this.affinity.delete(client);
    this.affinity.set(client, {
      backend: backendKey(backend),
      expiresAt: this.clock.monotonic() + this.current.affinityMs,
    });
    if (this.affinity.size > MAX_AFFINITY) {
      const oldest = this.affinity.keys().next().value;
      if (oldest !== undefined) this.affinity.delete(oldest);
    }
  }
}
