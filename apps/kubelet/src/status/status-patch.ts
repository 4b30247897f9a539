import { cloneJson, deepEqual } from '@orrery/apimachinery';
import type { PodCondition, PodStatus } from '@orrery/api';
import { PASSING_CONDITIONS, isOfKubelet } from './conditions.js';

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

/** Conditions of others do not count. */
export function sameStatus(a: PodStatus, b: PodStatus): boolean {
  const own = (a.conditions ?? []).filter(({ type }) => isOfKubelet(type));
  const others = (b.conditions ?? []).filter(({ type }) => isOfKubelet(type));
  return (
    own.length === others.length &&
    own.every((one) =>
      deepEqual(
        one,
        others.find(({ type }) => type === one.type),
      ),
    ) &&
    deepEqual({ ...a, conditions: undefined }, { ...b, conditions: undefined })
  );
}

const sameCondition = (a: PodCondition | undefined, b: PodCondition): boolean =>
  a !== undefined &&
  deepEqual({ ...a, lastProbeTime: undefined }, { ...b, lastProbeTime: undefined });

function conditionsPatch(
  before: readonly PodCondition[],
  after: readonly PodCondition[],
): unknown[] {
  const gone = before
    .filter(
      ({ type }) => PASSING_CONDITIONS.includes(type) && !after.some((one) => one.type === type),
    )
    .map(({ type }) => ({ $patch: 'delete', type }));
  const changed = after
    .filter(({ type }) => isOfKubelet(type))
    .filter(
      (one) =>
        !sameCondition(
          before.find((old) => old.type === one.type),
          one,
        ),
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
    if (!deepEqual(before[key], after[key])) patch[key] = cloneJson(after[key]) ?? null;
  }
  // What is not there any more must go: a strategic merge patch would keep it.
  for (const key of ['resources', 'allocatedResources'] as const)
    if (!deepEqual(before[key], after[key]))
      patch[key] = after[key] ? { ...cloneJson(after[key]), $patch: 'replace' } : null;
  const conditions = conditionsPatch(before.conditions ?? [], after.conditions ?? []);
  if (conditions.length > 0) patch['conditions'] = conditions;
  for (const key of ['podIPs', 'hostIPs'] as const) {
    const ips = ipsPatch(before[key] ?? [], after[key] ?? []);
    if (ips.length > 0) patch[key] = ips;
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}
