import type { Node, Pod } from '@orrery/api';
import type { NodeInfo } from '../cache/node-info.js';
import type { ExtenderOptions } from '../config/extender-config.js';
import type { PodInfo } from '../framework/pod-info.js';
import { unresolvable, unschedulable, failed, success } from '../framework/status.js';
import type { Status } from '../framework/status.js';
import { ExtenderClient } from './extender-client.js';

/** What an extender is asked about a preemption, by node: the victims, and how many of them their budgets keep. */
export type VictimsByNode = ReadonlyMap<
  string,
  { readonly victims: readonly PodInfo[]; readonly violations: number }
>;

export interface ExtenderFilterResult {
  readonly nodes: readonly NodeInfo[];
  readonly statuses: ReadonlyMap<string, Status>;
}

/** Scores of extenders go to 10, ours to 100. */
const SCALE = 10;

interface FilterAnswer {
  readonly nodes?: { readonly items?: readonly Node[] } | null;
  readonly nodenames?: readonly string[] | null;
  readonly failednodes?: Readonly<Record<string, string>> | null;
  readonly failedandunresolvablenodes?: Readonly<Record<string, string>> | null;
  readonly error?: string;
}

type Any = Readonly<Record<string, unknown>>;

/** A field of an answer, whatever the case of its name. */
const field = (object: unknown, name: string): unknown =>
  Object.entries((object ?? {}) as Any).find(([key]) => key.toLowerCase() === name)?.[1];

/** One extender over HTTP (k8s scheduler/extender.go). */
export class Extender {
  readonly #client: ExtenderClient;
  readonly #managed: ReadonlySet<string>;

  constructor(private readonly options: ExtenderOptions) {
    this.#client = new ExtenderClient(options);
    this.#managed = new Set(options.managedResources.map(({ name }) => name));
  }

  get name(): string {
    return this.options.urlPrefix;
  }

  /** Its failure does not fail the pod. */
  get isIgnorable(): boolean {
    return this.options.ignorable;
  }

  get filters(): boolean {
    return this.options.filterVerb !== '';
  }

  get prioritizes(): boolean {
    return this.options.prioritizeVerb !== '';
  }

  get preempts(): boolean {
    return this.options.preemptVerb !== '';
  }

  get binds(): boolean {
    return this.options.bindVerb !== '';
  }

  /** Asked only about pods with a resource that it manages, if it names any. */
  isInterested({ spec }: Pod): boolean {
    if (this.#managed.size === 0) return true;
    const all = [...spec.containers, ...(spec.initContainers ?? [])];
    return all.some(({ resources }) =>
      [resources?.requests, resources?.limits].some((list) =>
        Object.keys(list ?? {}).some((name) => this.#managed.has(name)),
      ),
    );
  }

  async filter(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<ExtenderFilterResult> {
    const answer = (await this.#client.send(
      this.options.filterVerb,
      this.#args(pod, nodes),
    )) as FilterAnswer;
    if (answer.error) throw new Error(answer.error);
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const named =
      this.options.nodeCacheCapable && answer.nodenames
        ? answer.nodenames
        : (answer.nodes?.items ?? []).map(({ metadata }) => metadata.name ?? '');
    const left = named.map((name) => {
      const node = byName.get(name);
      if (node) return node;
      throw new Error(
        `extender ${JSON.stringify(this.name)} claims a filtered node ${JSON.stringify(name)} which is not found in the input node list`,
      );
    });
    return { nodes: left, statuses: this.#refusals(answer) };
  }

  /** Weighted scores by node, on the scale of the plugins. */
  async prioritize(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<ReadonlyMap<string, number>> {
    const answer = await this.#client.send(this.options.prioritizeVerb, this.#args(pod, nodes));
    const list = (Array.isArray(answer) ? answer : []) as readonly unknown[];
    return new Map(
      list.map((each) => [
        String(field(each, 'host')),
        Number(field(each, 'score') ?? 0) * this.options.weight * SCALE,
      ]),
    );
  }

  /** The nodes that stay candidates, each with the victims that the extender left. */
  async preempt(pod: PodInfo, candidates: VictimsByNode): Promise<VictimsByNode> {
    const meta = this.options.nodeCacheCapable;
    const byNode = Object.fromEntries(
      [...candidates].map(([name, { victims, violations }]) => [
        name,
        {
          Pods: victims.map((victim) => (meta ? { UID: victim.uid } : victim.pod)),
          NumPDBViolations: violations,
        },
      ]),
    );
    const answer = await this.#client.send(this.options.preemptVerb, {
      Pod: pod.pod,
      [meta ? 'NodeNameToMetaVictims' : 'NodeNameToVictims']: byNode,
    });
    const left = (field(answer, 'nodenametometavictims') ?? {}) as Any;
    return new Map(
      Object.entries(left).map(([name, of]) => [name, this.#victimsOf(name, of, candidates)]),
    );
  }

  async bind(
    { namespace, name, uid }: PodInfo,
    node: string,
    signal: AbortSignal,
  ): Promise<Status> {
    const body = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node };
    try {
      const answer = await this.#client.send(this.options.bindVerb, body, signal);
      const error = field(answer, 'error');
      return typeof error === 'string' && error !== '' ? failed(new Error(error)) : success;
    } catch (error) {
      return failed(error);
    }
  }

  #victimsOf(
    node: string,
    of: unknown,
    candidates: VictimsByNode,
  ): { victims: readonly PodInfo[]; violations: number } {
    const known = new Map(candidates.get(node)?.victims.map((each) => [each.uid, each]));
    const uids = ((field(of, 'pods') ?? []) as readonly unknown[]).map((each) =>
      String(field(each, 'uid')),
    );
    const victims = uids.map((uid) => {
      const victim = known.get(uid);
      if (victim) return victim;
      throw new Error(
        `extender: ${this.name} claims to preempt pod (UID: ${uid}) on node: ${node}, but the pod is not found on that node`,
      );
    });
    return { victims, violations: Number(field(of, 'numpdbviolations') ?? 0) };
  }

  #args({ pod }: PodInfo, nodes: readonly NodeInfo[]): object {
    return this.options.nodeCacheCapable
      ? { Pod: pod, Nodes: null, NodeNames: nodes.map(({ name }) => name) }
      : { Pod: pod, Nodes: { items: nodes.map(({ node }) => node) }, NodeNames: null };
  }

  #refusals(answer: FilterAnswer): Map<string, Status> {
    const statuses = new Map<string, Status>();
    for (const [name, reason] of Object.entries(answer.failednodes ?? {}))
      statuses.set(name, { ...unschedulable(reason), plugin: this.name });
    for (const [name, reason] of Object.entries(answer.failedandunresolvablenodes ?? {}))
      statuses.set(name, { ...unresolvable(reason), plugin: this.name });
    return statuses;
  }
}
