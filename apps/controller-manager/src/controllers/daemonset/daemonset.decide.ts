import type { DaemonSet, DaemonSetStatus, Node, Pod } from '@orrery/api';
import { scaledValue } from '@orrery/api';
import { omitEmpty } from '@orrery/controller';
import { isAvailable, isReady, isTerminated } from '../../pods/pod-state.js';
import { fitness, nodeOf } from './daemon-pod.js';

export const REVISION_HASH = 'controller-revision-hash';

export interface DaemonWorld {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  /** Hash of the current template's revision. */
  readonly hash: string;
  /** How many names of other templates its revisions have met so far. */
  readonly collisions: number;
  readonly now: number;
  /** Whether a pod has failed on the node so often of late that the next one waits. */
  readonly isResting?: (node: string) => boolean;
}

export interface DaemonPlan {
  /** Nodes that lack a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** Those of them that have ended and are replaced. */
  readonly ended: readonly Pod[];
  readonly status: DaemonSetStatus;
}

type ByNode = ReadonlyMap<string, readonly Pod[]>;

function byNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const map = new Map<string, Pod[]>();
  for (const pod of pods) {
    const name = nodeOf(pod) ?? '';
    map.set(name, [...(map.get(name) ?? []), pod]);
  }
  return map;
}

const isAlive = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined;
const isUpdated = (pod: Pod, hash: string): boolean =>
  pod.metadata.labels?.[REVISION_HASH] === hash;
const specOf = ({ daemonSet }: DaemonWorld) => daemonSet.spec?.template.spec ?? { containers: [] };

const byAge = (a: Pod, b: Pod): number =>
  Number(!a.spec?.nodeName) - Number(!b.spec?.nodeName) ||
  Date.parse(a.metadata.creationTimestamp ?? '') - Date.parse(b.metadata.creationTimestamp ?? '');

/** Pure: the pods to create and delete, and the status. */
export function planDaemons(world: DaemonWorld): DaemonPlan {
  const pods = byNode(world.pods);
  const create: string[] = [];
  const remove: Pod[] = [];
  const ended: Pod[] = [];
  const known = new Set<string>();
  for (const node of world.nodes) {
    const name = node.metadata.name ?? '';
    known.add(name);
    const here = pods.get(name) ?? [];
    const { shouldRun, mayStay } = fitness(specOf(world), node);
    if (shouldRun && here.length === 0) create.push(name);
    else if (mayStay) {
      ended.push(...replaceable(here, world.isResting?.(name) ?? false));
      remove.push(...surplus(world, here));
    } else remove.push(...here.filter(isAlive));
  }
  for (const [name, here] of pods) if (!known.has(name)) remove.push(...here.filter(isAlive));
  const status = statusOf(world, pods);
  remove.push(...ended);
  if (create.length > 0 || remove.length > 0) return { create, remove, ended, status };
  return { ...roll(world, pods), ended, status };
}

/** Those that have ended; failed ones wait on a node that rests. */
const replaceable = (pods: readonly Pod[], isResting: boolean): Pod[] =>
  pods.filter(
    (pod) => isAlive(pod) && isTerminated(pod) && !(isResting && pod.status?.phase === 'Failed'),
  );

/** All but the oldest of those that have not ended; in a surge, the oldest of each template. */
function surplus(world: DaemonWorld, pods: readonly Pod[]): Pod[] {
  const running = pods.filter((pod) => isAlive(pod) && !isTerminated(pod)).sort(byAge);
  if (surgeOf(world, 1) === 0) return running.slice(1);
  const updated = running.filter((pod) => isUpdated(pod, world.hash));
  const old = running.filter((pod) => !isUpdated(pod, world.hash));
  const isReplaced =
    updated[0] !== undefined &&
    old[0] !== undefined &&
    (!isReady(old[0]) || isAvailable(updated[0], minReadyOf(world), world.now));
  return [...updated.slice(1), ...old.slice(isReplaced ? 0 : 1)];
}

const minReadyOf = ({ daemonSet }: DaemonWorld): number => daemonSet.spec?.minReadySeconds ?? 0;

/** Nodes that wanted pods may lack meanwhile, of so many. */
function maxUnavailable({ daemonSet }: DaemonWorld, desired: number): number {
  const value = daemonSet.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
  return Math.max(scaledValue(value, desired), 1);
}

/** Nodes that may have two pods meanwhile; 0 = pods are deleted first. */
function surgeOf({ daemonSet }: DaemonWorld, desired: number): number {
  const { type, rollingUpdate } = daemonSet.spec?.updateStrategy ?? {};
  if (type === 'OnDelete') return 0;
  return scaledValue(rollingUpdate?.maxSurge ?? 0, desired);
}

/** The next step of an update (k8s pkg/controller/daemon/update.go: rollingUpdate). */
function roll(world: DaemonWorld, pods: ByNode): Pick<DaemonPlan, 'create' | 'remove'> {
  const { daemonSet, nodes } = world;
  if (daemonSet.spec?.updateStrategy?.type === 'OnDelete') return { create: [], remove: [] };
  const wanted = nodes.filter((node) => fitness(specOf(world), node).shouldRun);
  const surge = surgeOf(world, wanted.length);
  if (surge > 0) return { create: surgeNodes(world, wanted, pods, surge), remove: [] };
  return { create: [], remove: outdated(world, wanted, pods) };
}

/** Nodes that get a pod of the new template beside the old one. */
function surgeNodes(
  world: DaemonWorld,
  nodes: readonly Node[],
  pods: ByNode,
  surge: number,
): string[] {
  const { hash, now } = world;
  const atOnce: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    const here = (pods.get(name) ?? []).filter(isAlive);
    const old = here.find((pod) => !isUpdated(pod, hash));
    const updated = here.find((pod) => isUpdated(pod, hash));
    if (!old) continue;
    if (updated) surging++;
    // Nothing is lost where the old pod serves nobody.
    else if (isAvailable(old, minReadyOf(world), now)) candidates.push(name);
    else atOnce.push(name);
  }
  return [...atOnce, ...candidates.slice(0, Math.max(surge - surging, 0))];
}

/** Pods of older templates to delete now. */
function outdated(world: DaemonWorld, nodes: readonly Node[], pods: ByNode): Pod[] {
  const { hash, now } = world;
  const unavailableOld: Pod[] = [];
  const availableOld: Pod[] = [];
  let unavailable = 0;
  for (const node of nodes) {
    const pod = (pods.get(node.metadata.name ?? '') ?? []).find(isAlive);
    const available = pod !== undefined && isAvailable(pod, minReadyOf(world), now);
    if (!available) unavailable++;
    if (pod && !isUpdated(pod, hash)) (available ? availableOld : unavailableOld).push(pod);
  }
  const room = Math.max(maxUnavailable(world, nodes.length) - unavailable, 0);
  return [...unavailableOld, ...availableOld.slice(0, room)];
}

function statusOf(world: DaemonWorld, pods: ByNode): DaemonSetStatus {
  const { daemonSet, hash, nodes, now } = world;
  const minReady = daemonSet.spec?.minReadySeconds ?? 0;
  const count = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const here = (pods.get(node.metadata.name ?? '') ?? []).filter(isAlive).sort(byAge);
    const [pod] = here;
    if (!fitness(specOf(world), node).shouldRun) {
      if (pod) count.misscheduled++;
      continue;
    }
    count.desired++;
    if (!pod) continue;
    count.current++;
    if (isReady(pod)) count.ready++;
    if (isAvailable(pod, minReady, now)) count.available++;
    if (isUpdated(pod, hash)) count.updated++;
  }
  return {
    currentNumberScheduled: count.current,
    desiredNumberScheduled: count.desired,
    numberMisscheduled: count.misscheduled,
    numberReady: count.ready,
    ...omitEmpty({
      numberAvailable: count.available,
      numberUnavailable: count.desired - count.available,
      updatedNumberScheduled: count.updated,
      observedGeneration: daemonSet.metadata.generation ?? 0,
      collisionCount: world.collisions,
    }),
  };
}
