import { compareQuantities, formatQuantity, parseQuantity } from '@orrery/apimachinery';
import type { Quantity } from '@orrery/apimachinery';
import type { Amounts, LimitRange, LimitRangeItem } from '@orrery/api';

export type ResourceList = Readonly<Record<string, unknown>>;

export const itemsOf = (ranges: Iterable<LimitRange>, type: string): LimitRangeItem[] =>
  [...ranges].flatMap((range) => range.spec?.limits ?? []).filter((item) => item.type === type);

const entries = (list: ResourceList | undefined): [string, Quantity][] =>
  Object.entries(list ?? {}).map(([name, value]) => [name, parseQuantity(value as string)]);

export interface Subject {
  readonly type: string;
  readonly requests: Amounts;
  readonly limits: Amounts;
}

function belowMin(item: LimitRangeItem, { type, requests, limits }: Subject): string[] {
  return entries(item.min).flatMap(([name, min]) => {
    const head = `minimum ${name} usage per ${type} is ${formatQuantity(min)}`;
    const request = requests.get(name);
    const limit = limits.get(name);
    if (!request) return [`${head}.  No request is specified`];
    if (compareQuantities(request, min) < 0)
      return [`${head}, but request is ${formatQuantity(request)}`];
    return limit && compareQuantities(limit, min) < 0
      ? [`${head}, but limit is ${formatQuantity(limit)}`]
      : [];
  });
}

function aboveMax(item: LimitRangeItem, { type, requests, limits }: Subject): string[] {
  return entries(item.max).flatMap(([name, max]) => {
    const head = `maximum ${name} usage per ${type} is ${formatQuantity(max)}`;
    const request = requests.get(name);
    const limit = limits.get(name);
    if (!limit) return [`${head}.  No limit is specified`];
    if (compareQuantities(limit, max) > 0)
      return [`${head}, but limit is ${formatQuantity(limit)}`];
    return request && compareQuantities(request, max) > 0
      ? [`${head}, but request is ${formatQuantity(request)}`]
      : [];
  });
}

function aboveRatio(item: LimitRangeItem, { type, requests, limits }: Subject): string[] {
  return entries(item.maxLimitRequestRatio).flatMap(([name, ratio]) => {
    const head = `${name} max limit to request ratio per ${type} is ${formatQuantity(ratio)}`;
    const request = requests.get(name);
    const limit = limits.get(name);
    if (!request?.nanos) return [`${head}, but no request is specified or request is 0`];
    if (!limit?.nanos) return [`${head}, but no limit is specified or limit is 0`];
    const found = Number(limit.nanos) / Number(request.nanos);
    return found > Number(ratio.nanos) / 1e9
      ? [`${head}, but provided ratio is ${found.toFixed(6)}`]
      : [];
  });
}

/** What is wrong with containers or a pod under one limit, in upstream's words (…/limitranger/admission.go:PodValidateLimitFunc). */
export const violations = (item: LimitRangeItem, subjects: readonly Subject[]): string[] =>
  [belowMin, aboveMax, aboveRatio].flatMap((check) =>
    subjects.flatMap((subject) => check(item, subject)),
  );

/** What is wrong with what a claim asks for; it has no limits (…/admission.go:PersistentVolumeClaimValidateLimitFunc). */
export function claimViolations(item: LimitRangeItem, requests: Amounts): string[] {
  const subject = { type: item.type, requests, limits: new Map<string, Quantity>() };
  return [
    ...belowMin(item, subject),
    ...entries(item.max).flatMap(([name, max]) => {
      const head = `maximum ${name} usage per ${item.type} is ${formatQuantity(max)}`;
      const request = requests.get(name);
      if (!request) return [`${head}.  No request is specified`];
      return compareQuantities(request, max) > 0
        ? [`${head}, but request is ${formatQuantity(request)}`]
        : [];
    }),
  ];
}
