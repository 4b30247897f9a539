import { duplicate, invalid } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { Type } from 'class-transformer';
import { IsOptional, IsString, ValidateNested } from 'class-validator';
import type { NodeInfo } from '../../cache/node-info.js';
import { MAX_SCORE } from '../../framework/normalize.js';
import { readArgs } from '../../framework/plugin-args.js';
import type { PluginEntry } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { skip, success } from '../../framework/status.js';
import { ResourceWeight } from '../node-resources-fit/fit-args.js';
import { CPU_AND_MEMORY, amountOf, usedWith } from '../node-resources-fit/resource-amounts.js';

const NAME = 'NodeResourcesBalancedAllocation';
const DEFAULT: readonly string[] = CPU_AND_MEMORY.map(({ name }) => name);

class NodeResourcesBalancedAllocationArgs {
  @IsOptional() @IsString() apiVersion?: string;
  @IsOptional() @IsString() kind?: string;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => ResourceWeight)
  resources?: ResourceWeight[];
}

/** k8s scheduler/apis/config/validation:ValidateNodeResourcesBalancedAllocationArgs. */
function checkArgs(
  { resources = [] }: NodeResourcesBalancedAllocationArgs,
  path: FieldPath,
): FieldError[] {
  return resources.flatMap(({ name, weight }, i) => {
    const at = path.child('resources').index(i);
    const isRepeated = resources.findIndex((other) => other.name === name) < i;
    return [
      ...(isRepeated ? [duplicate(at.child('name'), name)] : []),
      ...(weight === 1 ? [] : [invalid(at.child('weight'), weight, 'must be 1')]),
    ];
  });
}

function deviation(fractions: readonly number[]): number {
  if (fractions.length === 2) return Math.abs(((fractions[0] ?? 0) - (fractions[1] ?? 0)) / 2);
  if (fractions.length < 2) return 0;
  const mean = fractions.reduce((sum, f) => sum + f, 0) / fractions.length;
  return Math.sqrt(fractions.reduce((sum, f) => sum + (f - mean) ** 2, 0) / fractions.length);
}

const isExtended = (name: string): boolean =>
  !['cpu', 'memory', 'ephemeral-storage'].includes(name);

/**
 * 100 when the resources would be used in equal parts (k8s noderesources/balanced_allocation.go); of extended resources
 * those count that the pod asks for.
 */
export function scoreBalance(
  pod: PodInfo,
  node: NodeInfo,
  resources: readonly string[] = DEFAULT,
): number {
  const fractions: number[] = [];
  for (const name of resources) {
    const capacity = amountOf(node.allocatable, name);
    if (capacity === 0 || (isExtended(name) && amountOf(pod.request, name) === 0)) continue;
    fractions.push(Math.min(1, usedWith(node, pod, name, false) / capacity));
  }
  return Math.trunc((1 - deviation(fractions)) * MAX_SCORE);
}

/** Prefers nodes whose resources fill up evenly. */
export const nodeResourcesBalancedAllocation: PluginEntry = {
  name: NAME,
  create(_context, args) {
    const given = readArgs(NodeResourcesBalancedAllocationArgs, args, checkArgs).resources ?? [];
    const resources = given.length > 0 ? given.map(({ name }) => name) : DEFAULT;
    return {
      name: NAME,
      local: true,
      preScore: (_state, { request }) =>
        resources.every((name) => amountOf(request, name) === 0) ? skip : success,
      score: (_state, pod, node) => scoreBalance(pod, node, resources),
    };
  },
};
