import { invalid } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { IsDuration, parseDuration } from '@orrery/component';
import { IsOptional, IsString } from 'class-validator';
import { readArgs } from '../../framework/plugin-args.js';

/** Upstream's arguments; durations as Go writes them. */
class DynamicResourcesArgs {
  @IsOptional() @IsString() apiVersion?: string;
  @IsOptional() @IsString() kind?: string;
  @IsOptional() @IsDuration() filterTimeout: string = '10s';
  @IsOptional() @IsDuration() bindingTimeout: string = '600s';
}

export interface Timeouts {
  /** For the search on one node; 0 = none. */
  readonly filterMs: number;
  /** For devices that have to be attached before the pod is bound. */
  readonly bindingMs: number;
}

/** k8s scheduler/apis/config/validation: ValidateDynamicResourcesArgs. */
function check(
  { filterTimeout, bindingTimeout }: DynamicResourcesArgs,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if ((parseDuration(filterTimeout) ?? 0) < 0)
    errors.push(invalid(path.child('filterTimeout'), filterTimeout, 'must be zero or positive'));
  if ((parseDuration(bindingTimeout) ?? 0) < 1000)
    errors.push(invalid(path.child('bindingTimeout'), bindingTimeout, 'must be at least 1 second'));
  return errors;
}

/** Throws ConfigError. */
export function readTimeouts(args: unknown): Timeouts {
  const read = readArgs(DynamicResourcesArgs, args, check);
  return {
    filterMs: parseDuration(read.filterTimeout) ?? 0,
    bindingMs: parseDuration(read.bindingTimeout) ?? 0,
  };
}
