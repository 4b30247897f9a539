import { isDeepStrictEqual } from 'node:util';
import type { PodCondition, PodStatus } from '@orrery/api';
import { KUBELET_CONDITIONS, PASSING_CONDITIONS } from './conditions.js';

const ATOMIC = [
  'observedGeneration',
  'phase',
  'message',
  'reason',
  'podIP',
  'hostIP',
  'startTime',
  'qosClass',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
] as const;

const isOwn = (condition: PodCondition): boolean =>
  KUBELET_CONDITIONS.some((type) => type === condition.type);

/** Undefined members and conditions of others do not count. */
function comparable(status: PodStatus): unknown {
  const own = (status.conditions ?? [])
    .filter(isOwn)
    .toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return JSON.parse(JSON.stringify({ ...status, conditions: own }));
}

export function sameStatus(a: PodStatus, b: PodStatus): boolean {
  return isDeepStrictEqual(comparable(a), comparable(b));
}

function conditionsPatch(
  before: readonly PodCondition[],
  after: readonly PodCondition[],
): unknown[] {
  const normal = (one: PodCondition | undefined): unknown =>
    one && { ...(JSON.parse(JSON.stringify(one)) as object), lastProbeTime: undefined };
  const gone = before
    .filter(
      ({ type }) => PASSING_CONDITIONS.includes(type) && !after.some((one) => one.type === type),
    )
    .map(({ type }) => ({ $patch: 'delete', type }));
  const changed = after
    .filter(isOwn)
    .filter(
      (one) => !isDeepStrictEqual(normal(before.find((old) => old.type === one.type)), normal(one)),
    )
    .map((one) => ({
      lastProbeTime: null as unknown as string,
      reason: null as unknown as string,
      message: null as unknown as string,
      ...one,
    }));
  return [...changed, ...gone];
}

function ipsPatch(
  before: readonly { readonly ip?: string }[],
  after: readonly { readonly ip?: string }[],
): unknown[] {
  const has = (list: readonly { readonly ip?: string }[], ip: string | undefined): boolean =>
    list.some((one) => one.ip === ip);
  return [
    ...after.filter((one) => !has(before, one.ip)),
    ...before.filter((one) => !has(after, one.ip)).map((one) => ({ $patch: 'delete', ip: one.ip })),
  ];
}

/** Strategic merge patch of `/status` from `before` to `after`, or undefined when they agree. */
export function diffStatus(
  before: PodStatus,
  after: PodStatus,
): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  for (const key of ATOMIC) {
    const next =
      after[key] === undefined ? undefined : (JSON.parse(JSON.stringify(after[key])) as unknown);
    if (!isDeepStrictEqual(before[key], next)) patch[key] = next ?? null;
  }
  const conditions = conditionsPatch(before.conditions ?? [], after.conditions ?? []);
  if (conditions.length > 0) patch['conditions'] = conditions;
  for (const key of ['podIPs', 'hostIPs'] as const) {
    const ips = ipsPatch(before[key] ?? [], after[key] ?? []);
    if (ips.length > 0) patch[key] = ips;
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}
