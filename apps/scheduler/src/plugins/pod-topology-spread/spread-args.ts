import { duplicate, forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type { FieldError, FieldPath } from '@orrery/apimachinery';
import type { TopologySpreadConstraint } from '@orrery/api';
import { IsArray, IsOptional, IsString } from 'class-validator';
import { readArgs } from '../../framework/plugin-args.js';
import type { Action } from './spread-constraint.js';

class PodTopologySpreadArgs {
  @IsOptional() @IsString() apiVersion?: string;
  @IsOptional() @IsString() kind?: string;
  @IsOptional() @IsArray() defaultConstraints: TopologySpreadConstraint[] = [];
  @IsOptional() @IsString() defaultingType: string = 'System';
}

const SYSTEM: readonly TopologySpreadConstraint[] = [
  { topologyKey: 'kubernetes.io/hostname', maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway' },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5, whenUnsatisfiable: 'ScheduleAnyway' },
];

const ACTIONS = ['DoNotSchedule', 'ScheduleAnyway'];
const TYPES = ['System', 'List'];

function checkConstraint(each: TopologySpreadConstraint, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { maxSkew, topologyKey, whenUnsatisfiable: action } = each;
  if (!(maxSkew > 0))
    errors.push(invalid(path.child('maxSkew'), maxSkew, 'not in valid range (0, inf)'));
  if (!topologyKey) errors.push(required(path.child('topologyKey'), 'can not be empty'));
  if (!action) errors.push(required(path.child('whenUnsatisfiable'), 'can not be empty'));
  else if (!ACTIONS.includes(action))
    errors.push(notSupported(path.child('whenUnsatisfiable'), action, ACTIONS));
  if (each.labelSelector)
    errors.push(
      forbidden(
        path.child('labelSelector'),
        'constraint must not define a selector, as they deduced for each pod',
      ),
    );
  return errors;
}

/** k8s scheduler/apis/config/validation:ValidatePodTopologySpreadArgs. */
function checkArgs(args: PodTopologySpreadArgs, path: FieldPath): FieldError[] {
  const { defaultConstraints: all, defaultingType: type } = args;
  const errors: FieldError[] = [];
  const typePath = path.child('defaultingType');
  if (!TYPES.includes(type)) errors.push(notSupported(typePath, type, TYPES));
  if (type === 'System' && all.length > 0)
    errors.push(invalid(typePath, type, 'when .defaultConstraints are not empty'));
  const seen = new Set<string>();
  for (const [i, each] of all.entries()) {
    const at = path.child('defaultConstraints').index(i);
    errors.push(...checkConstraint(each, at));
    const pair = `{${each.topologyKey}, ${each.whenUnsatisfiable}}`;
    if (seen.has(pair)) errors.push(duplicate(at, pair));
    seen.add(pair);
  }
  return errors;
}

export interface SpreadDefaults {
  /** The built-in ones, which nodes need no labels for. */
  readonly isSystem: boolean;
  of(action: Action): readonly TopologySpreadConstraint[];
}

/** PodTopologySpreadArgs. Throws ConfigError in upstream's words. */
export function readSpreadArgs(args: unknown): SpreadDefaults {
  const { defaultConstraints, defaultingType } = readArgs(PodTopologySpreadArgs, args, checkArgs);
  const isSystem = defaultingType === 'System';
  const all = isSystem ? SYSTEM : defaultConstraints;
  return {
    isSystem,
    of: (action) => all.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action),
  };
}
