import type { KubeObject } from '@orrery/apimachinery';
import { byWeight, describeChange, isNoise, shortValue } from './diff.js';
import type { Change, StartedContainer } from './model.js';

type Fields = Readonly<Record<string, unknown>>;

interface Container {
  readonly name: string;
  readonly image?: string;
}

interface ContainerStatus extends Container {
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly running?: { readonly startedAt?: string };
    readonly waiting?: { readonly reason?: string };
    readonly terminated?: { readonly reason?: string; readonly startedAt?: string };
  };
}

interface PodLike extends KubeObject {
  readonly spec?: { readonly nodeName?: string; readonly containers?: readonly Container[] };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly reason?: string;
    readonly conditions?: readonly { type: string; status: string; reason?: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

const fieldsOf = (object: KubeObject | undefined, name: string): Fields =>
  ((object as Fields | undefined)?.[name] ?? {}) as Fields;

const imagesOf = (containers: readonly Container[] = []): string =>
  [...new Set(containers.map(({ image = '?' }) => image))].join(', ');

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

function templateImages(spec: Fields): string {
  const template = spec['template'] as { spec?: { containers?: readonly Container[] } } | undefined;
  return imagesOf(template?.spec?.containers);
}

function workload(object: KubeObject): string {
  const spec = fieldsOf(object, 'spec');
  const images = templateImages(spec);
  const replicas = spec['replicas'];
  return typeof replicas === 'number' ? `${count(replicas, 'replica')} of ${images}` : images;
}

function service(object: KubeObject): string {
  const { type = 'ClusterIP', ports = [] } = fieldsOf(object, 'spec') as {
    type?: string;
    ports?: readonly { port: number; protocol?: string }[];
  };
  return [type, ports.map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`).join(', ')]
    .filter((part) => part !== '')
    .join(' ');
}

function event(object: KubeObject): string {
  const { reason = '', message = '', note = '' } = object as unknown as Record<string, string>;
  return `${reason}: ${shortValue(message || note, 90)}`;
}

/** What a new object is, in a few words. */
const NEW: Readonly<Record<string, (object: KubeObject) => string>> = {
  Deployment: workload,
  ReplicaSet: workload,
  StatefulSet: workload,
  ReplicationController: workload,
  DaemonSet: workload,
  Job: workload,
  CronJob: (object) => shortValue(fieldsOf(object, 'spec')['schedule'] ?? ''),
  Pod: (object) => imagesOf((object as PodLike).spec?.containers),
  Service: service,
  Event: event,
};

/** Containers that run, or have run, in `after` and had not been started in `before`. */
export function startedContainers(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
): StartedContainer[] {
  const startOf = (pod: PodLike | undefined, name: string): string | undefined => {
    const { running, terminated } =
      pod?.status?.containerStatuses?.find((one) => one.name === name)?.state ?? {};
    return running?.startedAt ?? terminated?.startedAt;
  };
  if (after?.kind !== 'Pod') return [];
  return ((after as PodLike).status?.containerStatuses ?? []).flatMap(({ name, image = '' }) => {
    const startedAt = startOf(after as PodLike, name);
    const isNew =
      startedAt !== undefined && startOf(before as PodLike | undefined, name) !== startedAt;
    return isNew ? [{ name, image, startedAt }] : [];
  });
}

const isReady = ({ status }: PodLike): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;

function containerTrouble({ status }: PodLike): string | undefined {
  for (const { name, state } of status?.containerStatuses ?? []) {
    const reason = state?.waiting?.reason ?? state?.terminated?.reason;
    if (reason) return `${name}: ${reason}`;
  }
  return undefined;
}

/** What of a pod's status is told. */
function podStatus(pod: PodLike, wasReady: boolean): string {
  const { phase = 'Pending', reason } = pod.status ?? {};
  const unready = [
    wasReady && phase === 'Running' ? 'no longer ready' : undefined,
    containerTrouble(pod) ?? reason,
  ];
  const parts = [phase, ...(isReady(pod) ? ['ready'] : unready), unscheduled(pod)];
  return parts.filter((part) => part).join(', ');
}

function podChange(before: PodLike, after: PodLike): string | undefined {
  const node = after.spec?.nodeName;
  if (node && !before.spec?.nodeName) return `bound to ${node}`;
  const wasReady = isReady(before);
  const status = podStatus(after, wasReady);
  const podIP = after.status?.podIP;
  if (podIP && podIP !== before.status?.podIP) return `${status}, ${podIP}`;
  return status === podStatus(before, false) ? undefined : status;
}

function unscheduled({ status }: PodLike): string | undefined {
  const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return condition?.status === 'False' ? condition.reason : undefined;
}

const COUNTS = [
  ['ready', 'readyReplicas', 'replicas'],
  ['ready', 'numberReady', 'desiredNumberScheduled'],
] as const;

/** `ready 1/3` of a workload's status. */
function workloadChange(before: KubeObject, after: KubeObject): string | undefined {
  const [from, to] = [fieldsOf(before, 'status'), fieldsOf(after, 'status')];
  if (JSON.stringify(from) === JSON.stringify(to)) return undefined;
  const same = COUNTS.flat().every((field) => from[field] === to[field]);
  if (same && from['observedGeneration'] !== undefined) return undefined;
  const wanted = fieldsOf(after, 'spec')['replicas'] ?? to['desiredNumberScheduled'];
  for (const [word, ready, all] of COUNTS) {
    if (to[all] === undefined && to[ready] === undefined) continue;
    return `status: ${word} ${shortValue(to[ready] ?? 0)}/${shortValue(wanted ?? to[all] ?? 0)}`;
  }
  return undefined;
}

function specificChange(before: KubeObject, after: KubeObject): string | undefined {
  if (after.kind === 'Pod') return podChange(before as PodLike, after as PodLike);
  if (after.kind === 'Event') return `again: ${event(after)}`;
  const isWorkload = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'].includes(
    after.kind ?? '',
  );
  return isWorkload ? workloadChange(before, after) : undefined;
}

const MOST_TOLD = 2;

function generalChange(changes: readonly Change[]): string {
  const telling = byWeight(
    changes.some((change) => !isNoise(change)) ? changes.filter((c) => !isNoise(c)) : changes,
  );
  const told = telling.slice(0, MOST_TOLD).map((change) => describeChange(change, 40));
  const more = telling.length - told.length;
  return told.length === 0
    ? 'nothing that is shown'
    : `${told.join(', ')}${more > 0 ? `, ${more} more` : ''}`;
}

function modified(before: KubeObject, after: KubeObject, changes: readonly Change[]): string {
  if (after.metadata.deletionTimestamp && !before.metadata.deletionTimestamp)
    return 'deletion requested';
  const specChanged = changes.some(({ path }) => path.startsWith('spec.') || path === 'spec');
  const isBinding = after.kind === 'Pod' && changes.some(({ path }) => path === 'spec.nodeName');
  const specific = specChanged && !isBinding ? undefined : specificChange(before, after);
  return specific ?? generalChange(changes);
}

/** A write in a few words. */
export function summarize(
  type: 'ADDED' | 'MODIFIED' | 'DELETED',
  {
    before,
    after,
  }: { readonly before?: KubeObject | undefined; readonly after?: KubeObject | undefined },
  changes: readonly Change[],
): string {
  if (type === 'DELETED') return 'deleted';
  if (type === 'MODIFIED' && before && after) return modified(before, after, changes);
  if (type === 'MODIFIED') return 'changed (the state before is compacted away)';
  const kind = after?.kind ?? '';
  const what = after && Object.hasOwn(NEW, kind) ? (NEW[kind]?.(after) ?? '') : '';
  return what === '' ? 'created' : `created: ${what}`;
}
