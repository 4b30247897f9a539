import type { Node, Pod, PodAffinityTerm } from '@orrery/api';

/** A cluster as plain lists: what the slow reference reads. */
export interface Plain {
  readonly nodes: readonly Node[];
  /** Placed. */
  readonly pods: readonly Pod[];
}

const CPU: Readonly<Record<string, number>> = { '1': 1000, '2': 2000, '3': 3000, '4': 4000 };
const GI = 1024 ** 3;

const cpuOf = (text: string | undefined): number => (text === undefined ? 0 : (CPU[text] ?? 0));
const memoryOf = (text: string | undefined): number =>
  text === undefined ? 0 : Number(text.replace('Gi', '')) * GI;

const requests = (pod: Pod): Record<string, string> =>
  (pod.spec.containers[0]?.resources?.requests ?? {}) as Record<string, string>;

const on = ({ pods }: Plain, node: Node): Pod[] =>
  pods.filter((pod) => pod.spec.nodeName === node.metadata.name);

const label = (node: Node, key: string): string | undefined => node.metadata.labels?.[key];

const matchesLabels = (pod: Pod, labels: Record<string, string> | undefined): boolean =>
  labels !== undefined &&
  Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value);

const selects = (term: PodAffinityTerm, owner: Pod, other: Pod): boolean =>
  owner.metadata.namespace === other.metadata.namespace &&
  matchesLabels(other, term.labelSelector?.matchLabels);

const nodeOf = (plain: Plain, pod: Pod): Node | undefined =>
  plain.nodes.find((node) => node.metadata.name === pod.spec.nodeName);

const sameDomain = (key: string, a: Node, b: Node | undefined): boolean =>
  b !== undefined && label(a, key) !== undefined && label(a, key) === label(b, key);

const affinity = (pod: Pod): readonly PodAffinityTerm[] =>
  pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
const antiAffinity = (pod: Pod): readonly PodAffinityTerm[] =>
  pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

const fits = (plain: Plain, pod: Pod, node: Node): boolean => {
  const all = [...on(plain, node), pod];
  const allocatable = (node.status?.allocatable ?? {}) as Record<string, string>;
  const cpu = all.reduce((sum, each) => sum + cpuOf(requests(each)['cpu']), 0);
  const memory = all.reduce((sum, each) => sum + memoryOf(requests(each)['memory']), 0);
  return (
    (cpuOf(requests(pod)['cpu']) === 0 || cpu <= cpuOf(allocatable['cpu'])) &&
    (memoryOf(requests(pod)['memory']) === 0 || memory <= memoryOf(allocatable['memory'])) &&
    all.length <= Number(allocatable['pods'])
  );
};

const isTolerated = (pod: Pod, node: Node): boolean =>
  (node.spec?.taints ?? []).every((taint) =>
    (pod.spec.tolerations ?? []).some((each) => each.key === taint.key),
  );

function isNear(plain: Plain, pod: Pod, node: Node): boolean {
  const terms = affinity(pod);
  if (terms.length === 0) return true;
  if (terms.some(({ topologyKey }) => label(node, topologyKey) === undefined)) return false;
  const company = plain.pods.filter((other) => terms.every((term) => selects(term, pod, other)));
  const found = terms.every(({ topologyKey }) =>
    company.some((other) => sameDomain(topologyKey, node, nodeOf(plain, other))),
  );
  const anywhere = company.some((other) =>
    terms.some(({ topologyKey }) => {
      const there = nodeOf(plain, other);
      return there && label(there, topologyKey) !== undefined;
    }),
  );
  return found || (!anywhere && terms.every((term) => selects(term, pod, pod)));
}

const isApart = (plain: Plain, pod: Pod, node: Node): boolean =>
  plain.pods.every((other) => {
    const there = nodeOf(plain, other);
    const hurts = (owner: Pod, target: Pod): boolean =>
      antiAffinity(owner).some(
        (term) => selects(term, owner, target) && sameDomain(term.topologyKey, node, there),
      );
    return !hurts(pod, other) && !hurts(other, pod);
  });

function isEven(plain: Plain, pod: Pod, node: Node): boolean {
  const hard = (pod.spec.topologySpreadConstraints ?? []).filter(
    (each) => each.whenUnsatisfiable === 'DoNotSchedule',
  );
  const counted = plain.nodes.filter((each) =>
    hard.every(({ topologyKey }) => label(each, topologyKey) !== undefined),
  );
  return hard.every(({ topologyKey, maxSkew, labelSelector }) => {
    const own = label(node, topologyKey);
    if (own === undefined) return false;
    const counts = new Map<string, number>();
    for (const each of counted) {
      const domain = label(each, topologyKey) ?? '';
      const matching = on(plain, each).filter(
        (other) =>
          other.metadata.namespace === pod.metadata.namespace &&
          matchesLabels(other, labelSelector?.matchLabels),
      );
      counts.set(domain, (counts.get(domain) ?? 0) + matching.length);
    }
    const least = counts.size === 0 ? 0 : Math.min(...counts.values());
    const self = matchesLabels(pod, labelSelector?.matchLabels) ? 1 : 0;
    return (counts.get(own) ?? 0) + self - least <= maxSkew;
  });
}

/** Whether the pod may go there, by reading everything anew. */
export const isFeasible = (plain: Plain, pod: Pod, node: Node): boolean =>
  fits(plain, pod, node) &&
  isTolerated(pod, node) &&
  isNear(plain, pod, node) &&
  isApart(plain, pod, node) &&
  isEven(plain, pod, node);

/** LeastAllocated over cpu and memory, with upstream's defaults for containers that ask for nothing. */
export function leastAllocated(plain: Plain, pod: Pod, node: Node): number {
  const all = [...on(plain, node), pod];
  const allocatable = (node.status?.allocatable ?? {}) as Record<string, string>;
  const score = (used: number, capacity: number): number =>
    used > capacity ? 0 : Math.floor(((capacity - used) * 100) / capacity);
  const cpu = all.reduce((sum, each) => sum + (cpuOf(requests(each)['cpu']) || 100), 0);
  const memory = all.reduce(
    (sum, each) => sum + (memoryOf(requests(each)['memory']) || 200 * 1024 * 1024),
    0,
  );
  return Math.floor(
    (score(cpu, cpuOf(allocatable['cpu'])) + score(memory, memoryOf(allocatable['memory']))) / 2,
  );
}

/** Sums of preferred terms, the pod's own and others' about it, before normalization. */
export function preference(plain: Plain, pod: Pod, node: Node): number {
  let sum = 0;
  const weigh = (owner: Pod, target: Pod, there: Node | undefined): void => {
    const { podAffinity, podAntiAffinity } = owner.spec.affinity ?? {};
    for (const [list, sign] of [
      [podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1],
      [podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1],
    ] as const)
      for (const { podAffinityTerm: term, weight } of list ?? [])
        if (selects(term, owner, target) && sameDomain(term.topologyKey, node, there))
          sum += sign * weight;
  };
  for (const other of plain.pods) {
    const there = nodeOf(plain, other);
    weigh(pod, other, there);
    weigh(other, pod, there);
    for (const term of affinity(other))
      if (selects(term, other, pod) && sameDomain(term.topologyKey, node, there)) sum += 1;
  }
  return sum;
}

/**
 * The fewest and least important pods that have to leave, by trying every subset: of those that open the node, the one
 * that upstream's order of giving places back ends with.
 */
export function victimsOn(plain: Plain, pod: Pod, node: Node): readonly string[] | undefined {
  const lower = on(plain, node)
    .filter((other) => (other.spec.priority ?? 0) < (pod.spec.priority ?? 0))
    .sort(
      (a, b) =>
        (b.spec.priority ?? 0) - (a.spec.priority ?? 0) ||
        ((a.status?.startTime ?? '') < (b.status?.startTime ?? '') ? -1 : 1),
    );
  if (lower.length === 0) return undefined;
  let best: { readonly kept: string; readonly gone: readonly string[] } | undefined;
  for (let subset = 0; subset < 1 << lower.length; subset++) {
    const gone = lower.filter((_, i) => subset & (1 << i));
    const left = { ...plain, pods: plain.pods.filter((each) => !gone.includes(each)) };
    if (!isFeasible(left, pod, node)) continue;
    const kept = lower.map((each) => (gone.includes(each) ? '0' : '1')).join('');
    if (!best || kept > best.kept)
      best = { kept, gone: gone.map(({ metadata }) => metadata.name ?? '') };
  }
  return best?.gone;
}
