import { validateConfig } from '@orrery/component';
import { Type } from 'class-transformer';
import {
  ArrayMinSize,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { CPU_AND_MEMORY } from './resource-amounts.js';
import { LEAST_ALLOCATED } from './scoring-strategy.js';
import type { ScoringStrategy } from './scoring-strategy.js';

export class ResourceWeight {
  @IsString()
  name = '';

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  weight: number = 1;
}

class Shape {
  @IsInt()
  @Min(0)
  @Max(100)
  utilization = 0;

  @IsInt()
  @Min(0)
  @Max(10)
  score = 0;
}

class RequestedToCapacityRatio {
  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @Type(() => Shape)
  shape: Shape[] = [];
}

class Strategy {
  @IsIn(['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'])
  type: ScoringStrategy['type'] = 'LeastAllocated';

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => ResourceWeight)
  resources?: ResourceWeight[];

  @ValidateIf((strategy: Strategy) => strategy.type === 'RequestedToCapacityRatio')
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

export interface FitArgs {
  readonly strategy: ScoringStrategy;
  /** Whether a shortage is of a resource that somebody else looks after. */
  readonly isIgnored: (reason: string) => boolean;
}

/** NodeResourcesFitArgs. Throws ConfigError naming each bad field. */
export function parseFitArgs(args: unknown): FitArgs {
  const dto = validateConfig(NodeResourcesFitArgs, args ?? {}, 'NodeResourcesFitArgs');
  const ignored = new Set(dto.ignoredResources ?? []);
  const groups = dto.ignoredResourceGroups ?? [];
  const own = dto.scoringStrategy;
  return {
    isIgnored: (reason) => {
      const name = reason.replace('Insufficient ', '');
      return ignored.has(name) || groups.some((group) => name.startsWith(`${group}/`));
    },
    strategy: own
      ? {
          type: own.type,
          resources: own.resources ?? CPU_AND_MEMORY,
          shape: own.requestedToCapacityRatio?.shape ?? [],
        }
      : LEAST_ALLOCATED,
  };
}
