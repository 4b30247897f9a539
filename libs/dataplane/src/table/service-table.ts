import type { Clock, Random } from '@orrery/component';
import { AddressRange } from '../address-range.js';
import { ruleKey } from '../rule-set.js';
import type { Frontend, Protocol, RuleChanges, RuleSet, ServiceRule } from '../rule-set.js';
import { RuleState } from './rule-state.js';

/** An address, port and protocol that at least one rule set wants served. */
export interface FrontendKey {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}

interface FrontendHolders {
  readonly frontend: Frontend;
  readonly byNode: Map<string, string>;
}

interface NodeRules {
  readonly node: string;
  /** Grows with each kube-proxy that starts: the newest serves clients that belong to no node. */
  readonly session: number;
  readonly sources: readonly AddressRange[];
  readonly states: Map<string, RuleState>;
}

const frontendText = (protocol: Protocol, address: string, port: number): string =>
  `${protocol} ${address}:${port}`;

/**
 * The rules of all nodes of this host. Each node's kube-proxy replaces or changes its own set; what a kube-proxy left
 * stays in force after it has gone, as netfilter's rules do.
 */
export class ServiceTable {
  private readonly nodes = new Map<string, NodeRules>();
  /** By frontend: the rule key of each node that wants it. */
  private readonly frontends = new Map<string, FrontendHolders>();
  private sessions = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Replaces all rules of a node: a kube-proxy has started. */
  replace(set: RuleSet): void {
    const before = this.nodes.get(set.node);
    const states = before?.states ?? new Map<string, RuleState>();
    this.sessions += 1;
    this.nodes.set(set.node, {
      node: set.node,
      session: this.sessions,
      sources: set.sources.flatMap((text) => AddressRange.parse(text) ?? []),
      states,
    });
    const kept = new Set(set.rules.map(ruleKey));
    this.change(set.node, {
      set: set.rules,
      remove: [...states.keys()].filter((key) => !kept.has(key)),
    });
  }

  has(node: string): boolean {
    return this.nodes.has(node);
  }

  /** Applies the changes of one node; its other rules stay. */
  change(node: string, changes: RuleChanges): void {
    const rules = this.nodes.get(node);
    if (!rules) return;
    for (const key of changes.remove) {
      const state = rules.states.get(key);
      if (state) this.unlink(node, state.rule);
      rules.states.delete(key);
    }
    for (const rule of changes.set) {
      const key = ruleKey(rule);
      const state = rules.states.get(key);
      if (state) {
        this.unlink(node, state.rule);
        state.replace(rule);
      } else rules.states.set(key, new RuleState(rule, this.clock, this.random));
      this.link(node, rule);
    }
  }

  /** Every frontend that some rule wants, with whether any of them has a backend. */
  *wanted(): Iterable<FrontendKey & { readonly hasBackends: boolean; readonly rule: string }> {
    for (const { frontend, byNode } of this.frontends.values()) {
      const states = [...byNode].flatMap(
        ([node, key]) => this.nodes.get(node)?.states.get(key) ?? [],
      );
      const first = states[0];
      if (!first) continue;
      yield {
        protocol: first.rule.protocol,
        address: frontend.address,
        port: frontend.port,
        hasBackends: states.some((state) => state.rule.backends.length > 0),
        rule: first.rule.id,
      };
    }
  }

  /** The rule that serves a client of this frontend: of the client's own node, else of the newest kube-proxy. */
  resolve(frontend: FrontendKey, clientAddress: string): RuleState | undefined {
    const byNode = this.frontends.get(
      frontendText(frontend.protocol, frontend.address, frontend.port),
    )?.byNode;
    if (!byNode) return undefined;
    let best: NodeRules | undefined;
    for (const [node, key] of byNode) {
      const rules = this.nodes.get(node);
      if (!rules) continue;
      if (rules.sources.some((range) => range.contains(clientAddress)))
        return rules.states.get(key);
      if (!best || rules.session > best.session) best = rules;
    }
    return best?.states.get(byNode.get(best.node) ?? '');
  }

  /** For people and tests: each rule with its open connections. */
  view(): readonly { node: string; rule: ServiceRule; connections: Record<string, number> }[] {
    return [...this.nodes.values()].flatMap(({ node, states }) =>
      [...states.values()].map((state) => ({
        node,
        rule: state.rule,
        connections: state.connections(),
      })),
    );
  }

  private link(node: string, rule: ServiceRule): void {
    for (const frontend of rule.frontends) {
      const text = frontendText(rule.protocol, frontend.address, frontend.port);
      const holders = this.frontends.get(text) ?? { frontend, byNode: new Map<string, string>() };
      holders.byNode.set(node, ruleKey(rule));
      this.frontends.set(text, holders);
    }
  }

  private unlink(node: string, rule: ServiceRule): void {
    for (const { address, port } of rule.frontends) {
      const text = frontendText(rule.protocol, address, port);
      const byNode = this.frontends.get(text)?.byNode;
      if (byNode?.get(node) !== ruleKey(rule)) continue;
      byNode.delete(node);
      if (byNode.size === 0) this.frontends.delete(text);
    }
  }
}
