import { AddressRange } from '../address-range.js';
import { hash32 } from '../policies/hash.js';
import { FRONTEND_KINDS, ruleKey } from '../rule-set.js';
import type {
  Frontend,
  FrontendKind,
  Protocol,
  RuleChanges,
  RuleSet,
  ServiceRule,
} from '../rule-set.js';
import type { ConnectionView, EndpointView } from './endpoint-state.js';
import { RuleState, backendsOf } from './rule-state.js';
import type { FlowSource, RuleStateOptions } from './rule-state.js';

/** An address, port and protocol that at least one rule set wants served. */
export interface FrontendKey {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** All three, as a key. */
  readonly text: string;
}

/** A frontend that some rule wants. */
export interface WantedFrontend extends FrontendKey {
  readonly hasBackends: boolean;
  /** Every choice needs what one process alone can know: a rotation, open connections, affinity, a limit. */
  readonly isStateful: boolean;
  readonly rule: string;
}

/** One rule in force, for people, metrics and tests. */
export interface RuleView {
  readonly node: string;
  readonly rule: ServiceRule;
  /** Open connections by backend. */
  readonly connections: Readonly<Record<string, number>>;
  readonly endpoints: readonly EndpointView[];
  /** Connections refused because of the rule's limit. */
  readonly limited: number;
}

interface Claim {
  readonly state: RuleState;
  readonly kind: FrontendKind;
}

interface FrontendHolders {
  readonly key: FrontendKey;
  /** By node, what its rule set makes of this frontend: the first claim is in force. */
  readonly byNode: Map<string, readonly Claim[]>;
}

interface NodeRules {
  readonly node: string;
  /** Grows with each kube-proxy that starts: the newest serves clients that belong to no node. */
  readonly session: number;
  readonly sources: readonly AddressRange[];
  readonly states: Map<string, RuleState>;
}

const STATELESS: ReadonlySet<string> = new Set(['random', 'sh', 'dh', 'mh']);

const isStateful = ({ policy, affinityMs, maxConnections }: ServiceRule): boolean =>
  !STATELESS.has(policy) || affinityMs > 0 || maxConnections !== undefined;

const isBalanced = ({ kind, state: { rule } }: Claim): boolean =>
  kind === 'loadBalancer' && rule.inside !== undefined && rule.backends.length > 0;

/** What a load balancer goes by: connections, or clients where these stay with their endpoint. */
const spread = (source: FlowSource, state: RuleState | undefined): number =>
  hash32(
    state && state.rule.affinityMs > 0
      ? source.clientAddress
      : `${source.clientAddress}:${source.clientPort}`,
  );

/** The node to which a load balancer leads this client; undefined where none of them serves its own endpoints alone. */
function balance(claims: Iterable<readonly Claim[]>, source: FlowSource): RuleState | undefined {
  const states: RuleState[] = [];
  for (const [first] of claims) if (first && isBalanced(first)) states.push(first.state);
  return states.length > 0 ? states[spread(source, states[0]) % states.length] : undefined;
}

/**
 * The rules of all nodes of this host. Each node's kube-proxy replaces or changes its own set; what a kube-proxy left
 * stays in force after it has gone, as netfilter's rules do.
 */
export class ServiceTable {
  private readonly nodes = new Map<string, NodeRules>();
  private readonly frontends = new Map<string, FrontendHolders>();
  /** Rules that have gone while connections of theirs live on. */
  private readonly retired = new Set<RuleState>();
  private sessions = 0;
  /** Frontends of which something has changed since they were taken. */
  private touched = new Set<string>();

  constructor(private readonly options: RuleStateOptions) {}

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
      if (state) this.retire(node, state);
      rules.states.delete(key);
    }
    for (const rule of changes.set) {
      const key = ruleKey(rule);
      const known = rules.states.get(key);
      if (known) {
        this.unlink(node, known);
        known.replace(rule);
        this.link(node, known);
      } else {
        const state = new RuleState(rule, this.options);
        rules.states.set(key, state);
        this.link(node, state);
      }
    }
  }

  /** The keys of the frontends of which something has changed since the last call. */
  takeTouched(): ReadonlySet<string> {
    const { touched } = this;
    this.touched = new Set();
    return touched;
  }

  /** What the rules make of one frontend; undefined when none wants it. */
  wanted(text: string): WantedFrontend | undefined {
    const holders = this.frontends.get(text);
    if (!holders) return undefined;
    const states = [...holders.byNode.values()].flatMap(([first]) => first?.state ?? []);
    return {
      ...holders.key,
      hasBackends: states.some(({ rule }) => backendsOf(rule).length > 0),
      isStateful: states.some(({ rule }) => isStateful(rule)),
      rule: states[0]?.rule.id ?? '',
    };
  }

  /**
   * The rule that serves a client of this frontend: of the client's own node, else of the newest kube-proxy. Clients from
   * outside that call a load balancer whose nodes serve their own pods alone are spread over the nodes that have some.
   */
  resolve(frontend: FrontendKey, source: FlowSource): RuleState | undefined {
    const byNode = this.frontends.get(frontend.text)?.byNode;
    if (!byNode) return undefined;
    if (byNode.size === 1) return byNode.values().next().value?.[0]?.state;
    let newest = 0;
    let chosen: RuleState | undefined;
    for (const [node, [first]] of byNode) {
      const rules = this.nodes.get(node);
      if (!rules || !first) continue;
      if (rules.sources.some((range) => range.contains(source.clientAddress))) return first.state;
      if (rules.session > newest) {
        newest = rules.session;
        chosen = first.state;
      }
    }
    return balance(byNode.values(), source) ?? chosen;
  }

  /** Each rule with its endpoints and the number of their open connections. */
  view(): readonly RuleView[] {
    return [...this.states()].map(([node, state]) => {
      const endpoints = [...state.states()].map((endpoint) => endpoint.view());
      const open = endpoints.filter((endpoint) => endpoint.open > 0);
      return {
        node,
        rule: state.rule,
        connections: Object.fromEntries(open.map((one) => [one.backend, one.open])),
        endpoints,
        limited: state.limited,
      };
    });
  }

  /** Everything that is open, with the rule it was opened by. */
  connections(): readonly (ConnectionView & { readonly rule: string; readonly node: string })[] {
    return [...this.states()].flatMap(([node, state]) =>
      [...state.states()].flatMap((endpoint) =>
        [...endpoint.open].map((one) => ({ ...one.describe(), rule: state.rule.id, node })),
      ),
    );
  }

  /** What every node's kube-proxy has programmed, to be programmed again elsewhere. */
  sets(): readonly RuleSet[] {
    return [...this.nodes.values()].map(({ node, sources, states }) => ({
      node,
      sources: sources.map(String),
      rules: [...states.values()].map((state) => state.rule),
    }));
  }

  /** Ends every connection to one backend. */
  abortBackend(key: string): void {
    for (const [, state] of this.states()) state.abortBackend(key);
  }

  /** Ends every connection. */
  abort(): void {
    for (const [, state] of this.states()) state.abort();
  }

  private *states(): Iterable<[node: string, state: RuleState]> {
    for (const { node, states } of this.nodes.values())
      for (const state of states.values()) yield [node, state];
    for (const state of this.retired) {
      if (state.openCount === 0) this.retired.delete(state);
      else yield ['', state];
    }
  }

  private retire(node: string, state: RuleState): void {
    this.unlink(node, state);
    state.retire();
    if (state.openCount > 0) this.retired.add(state);
  }

  private link(node: string, state: RuleState): void {
    for (const frontend of state.rule.frontends) {
      const key = frontendKey(state.rule.protocol, frontend);
      this.touched.add(key.text);
      const holders = this.frontends.get(key.text) ?? { key, byNode: new Map() };
      const claims = [...(holders.byNode.get(node) ?? []), { state, kind: frontend.kind }];
      // An external address cannot take a cluster address away from its service (CVE-2020-8554); the sort is stable.
      claims.sort((a, b) => FRONTEND_KINDS.indexOf(a.kind) - FRONTEND_KINDS.indexOf(b.kind));
      holders.byNode.set(node, claims);
      this.frontends.set(key.text, holders);
    }
  }

  private unlink(node: string, state: RuleState): void {
    for (const frontend of state.rule.frontends) {
      const { text } = frontendKey(state.rule.protocol, frontend);
      this.touched.add(text);
      const byNode = this.frontends.get(text)?.byNode;
      const left = byNode?.get(node)?.filter((claim) => claim.state !== state) ?? [];
      if (left.length > 0) byNode?.set(node, left);
      else byNode?.delete(node);
      if (byNode?.size === 0) this.frontends.delete(text);
    }
  }
}

const frontendKey = (
  protocol: Protocol,
  { address, port }: Pick<Frontend, 'address' | 'port'>,
): FrontendKey => ({
  protocol,
  address,
  port,
  text: `${protocol} ${address.includes(':') ? `[${address}]` : address}:${port}`,
});
