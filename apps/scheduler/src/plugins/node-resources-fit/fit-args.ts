import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';
import { readArgs } from '../../framework/plugin-args.js';
import { CPU_AND_MEMORY } from './resource-amounts.js';
import { LEAST_ALLOCATED } from './scoring-strategy.js';
import type { ScoringStrategy, ShapePoint } from './scoring-strategy.js';

export class ResourceWeight {
  @IsString() name = '';
  @IsOptional() @IsInt() weight: number = 1;
}

class Shape {
  @IsInt() utilization = 0;
  @IsInt() score = 0;
}

class RequestedToCapacityRatio {
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Shape)
  shape: Shape[] = [];
}

class Strategy {
  @IsOptional() @IsString() type: string = 'LeastAllocated';

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => ResourceWeight)
  resources?: ResourceWeight[];

  @IsOptional()
  @ValidateNested()
  @Type(() => RequestedToCapacityRatio)
  requestedToCapacityRatio?: RequestedToCapacityRatio;
}

class NodeResourcesFitArgs {
  @IsOptional() @IsString() apiVersion?: string;
  @IsOptional() @IsString() kind?: string;
  @IsOptional() @IsString({ each: true }) ignoredResources?: string[];
  @IsOptional() @IsString({ each: true }) ignoredResourceGroups?: string[];

  @IsOptional()
  @ValidateNested()
  @Type(() => Strategy)
  scoringStrategy?: Strategy;
}

const TYPES = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'] as const;
const isType = (type: string): type is ScoringStrategy['type'] =>
  (TYPES as readonly string[]).includes(type);

function checkShape(shape: readonly ShapePoint[], path: FieldPath): FieldError[] {
  if (shape.length === 0) return [required(path, 'at least one point must be specified')];
  const errors: FieldError[] = [];
  const unsorted = shape.findIndex(
    ({ utilization }, i) => i > 0 && (shape[i - 1]?.utilization ?? 0) >= utilization,
  );
  if (unsorted > 0)
    errors.push(
      invalid(
        path.index(unsorted).child('utilization'),
        shape[unsorted]?.utilization,
        'values must be sorted in increasing order',
      ),
    );
  for (const [i, { utilization, score }] of shape.entries()) {
    if (utilization < 0 || utilization > 100)
      errors.push(
        invalid(path.index(i).child('utilization'), utilization, 'not in valid range [0, 100]'),
      );
    if (score < 0 || score > 10)
      errors.push(invalid(path.index(i).child('score'), score, 'not in valid range [0, 10]'));
  }
  return errors;
}

function checkStrategy(strategy: Strategy, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { type, resources = [], requestedToCapacityRatio: ratio } = strategy;
  if (!isType(type)) errors.push(notSupported(path.child('type'), type, TYPES));
  for (const [i, { name, weight }] of resources.entries())
    if (weight <= 0 || weight > 100)
      errors.push(
        invalid(
          path.child('resources').index(i).child('weight'),
          weight,
          `resource weight of ${name} not in valid range (0, 100]`,
        ),
      );
  const at = path.child('requestedToCapacityRatio');
  if (type !== 'RequestedToCapacityRatio') {
    if (ratio) errors.push(forbidden(at, 'must be nil when type is not RequestedToCapacityRatio'));
  } else if (!ratio)
    errors.push(required(at, 'must be specified when type is RequestedToCapacityRatio'));
  else errors.push(...checkShape(ratio.shape, at.child('shape')));
  return errors;
}

/** k8s scheduler/apis/config/validation:ValidateNodeResourcesFitArgs. */
function checkArgs(args: NodeResourcesFitArgs, path: FieldPath): FieldError[] {
  const groups = (args.ignoredResourceGroups ?? []).flatMap((group, i) =>
    group.includes('/')
      ? [
          invalid(
            path.child('ignoredResourceGroups').index(i),
            group,
            "resource group name can't contain '/'",
          ),
        ]
      : [],
  );
  const { scoringStrategy } = args;
  return scoringStrategy
    ? [...groups, ...checkStrategy(scoringStrategy, path.child('scoringStrategy'))]
    : groups;
}

export interface FitArgs {
  readonly strategy: ScoringStrategy;
  /** Whether a shortage is of a resource that somebody else looks after. */
  readonly isIgnored: (reason: string) => boolean;
}

/** NodeResourcesFitArgs. Throws ConfigError naming each bad field. */
export function parseFitArgs(args: unknown): FitArgs {
  const dto = readArgs(NodeResourcesFitArgs, args, checkArgs);
  const ignored = new Set(dto.ignoredResources ?? []);
  const groups = dto.ignoredResourceGroups ?? [];
  const own = dto.scoringStrategy;
  return {
    isIgnored: (reason) => {
      const name = reason.replace('Insufficient ', '');
      return ignored.has(name) || groups.some((group) => name.startsWith(`${group}/`));
    },
    strategy:
      own && isType(own.type)
        ? {
            type: own.type,
            resources: own.resources?.length ? own.resources : CPU_AND_MEMORY,
            shape: own.requestedToCapacityRatio?.shape ?? [],
          }
        : LEAST_ALLOCATED,
  };
}
