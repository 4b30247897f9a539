import type { Overload } from '../functions/overload.js';
import { Substitution, freshen, sameType } from '../types/substitution.js';
import type { CelType } from '../types/type.js';
import { celTypes, isDyn } from '../types/type.js';

export interface Resolution {
  readonly overloads: readonly Overload[];
  readonly result: CelType;
  readonly subst: Substitution;
}

interface Call {
  readonly types: readonly CelType[];
  readonly member: boolean;
  /** Makes the signatures' parameters unique to this call. */
  readonly suffix: string;
}

/** The overloads that the arguments fit, and the type that they answer; undefined when there is none. */
export function resolveOverloads(
  subst: Substitution,
  declared: readonly Overload[],
  { types, member, suffix }: Call,
): Resolution | undefined {
  const overloads: Overload[] = [];
  let result: CelType | undefined;
  let known = subst;
  for (const overload of declared) {
    if (overload.member !== member || overload.args.length !== types.length) continue;
    const own = `${suffix}_${overload.id}`;
    const attempt = new Substitution(known);
    const fits = overload.args.every((arg, i) =>
      attempt.assign(types[i] ?? celTypes.error, freshen(arg, own)),
    );
    if (!fits) continue;
    known = attempt;
    overloads.push(overload);
    const type = attempt.apply(freshen(overload.result, own));
    if (result === undefined) result = type;
    else if (!isDyn(result) && !sameType(result, type)) result = celTypes.dyn;
  }
  return result === undefined ? undefined : { overloads, result, subst: known };
}
