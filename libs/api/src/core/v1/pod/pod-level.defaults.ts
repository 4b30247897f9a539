import { formatQuantity } from '@orrery/apimachinery';
import type { PodSpec } from '../../../types.js';
import { entries, list } from '../../../meta/list.js';
import { isHugePages } from '../../../meta/resource-names.js';
import { aggregate, isPodResource } from '../pod-spec/pod-resources.validation.js';

type Field = 'requests' | 'limits';

/** Names that a container gives an amount of and that a pod as a whole can ask for, each with the sum. */
function sums(spec: PodSpec, field: Field): [string, string][] {
  const containers = [...list(spec.containers), ...list(spec.initContainers)];
  const names = containers.flatMap(({ resources }) =>
    entries(resources?.[field]).map(([name]) => name),
  );
  return [...new Set(names)]
    .filter(isPodResource)
    .map((name) => [name, formatQuantity(aggregate(spec, field, name))]);
}

/**
 * Where a pod as a whole has limits, what it asks for beside them: what its containers ask for, or the limits. Huge
 * pages cannot be overcommitted, so that their limits are those of the containers
 * (k8s pkg/apis/core/v1/defaults.go: defaultHugePagePodLimits, defaultPodRequests).
 */
export function setPodLevelDefaults(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources || entries(resources.limits).length === 0) return;
  const limits = (resources.limits ??= {});
  for (const [name, sum] of sums(spec, 'limits')) if (isHugePages(name)) limits[name] ??= sum;
  const requests: Record<string, string> = { ...resources.requests };
  for (const [name, sum] of sums(spec, 'requests')) if (!isHugePages(name)) requests[name] ??= sum;
  for (const [name, limit] of entries(limits)) if (isPodResource(name)) requests[name] ??= limit;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}
