import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { duplicate, invalid } from '@orrery/apimachinery';
import { when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';
import { check, qualifiedName } from '../../../meta/names.js';
import { validateBounded } from './device-names.js';

const MAX_CONDITIONS = 4;

interface Bindings {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}

function repeated(items: readonly string[], path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return items.flatMap((one, i) => {
    const isNew = !seen.has(one);
    seen.add(one);
    return isNew ? [] : [duplicate(path.index(i), one)];
  });
}

/** What must be true, and what must not, before a pod is bound (…/validation.go:validateDeviceBindingParameters). */
export function validateBindings(bindings: Bindings, path: FieldPath): FieldError[] {
  const wanted = list(bindings.bindingConditions);
  const failures = list(bindings.bindingFailureConditions);
  const isWanted = new Set(wanted);
  const [at, failed] = [path.child('bindingConditions'), path.child('bindingFailureConditions')];
  const named = (items: readonly string[], where: FieldPath): FieldError[] =>
    validateBounded(items, where, { max: MAX_CONDITIONS }, (one, here) =>
      check(qualifiedName, one, here),
    );
  return [
    ...named(wanted, at),
    ...named(failures, failed),
    ...repeated(wanted, at),
    ...repeated(failures, failed),
    ...failures.flatMap((one, i) =>
      when(
        isWanted.has(one),
        invalid(
          failed.index(i),
          one,
          'bindingFailureConditions must not overlap with bindingConditions',
        ),
      ),
    ),
    ...when(
      wanted.length === 0 && failures.length > 0,
      invalid(at, null, 'bindingConditions are required to use bindingFailureConditions'),
    ),
    ...when(
      failures.length === 0 && wanted.length > 0,
      invalid(failed, null, 'bindingFailureConditions are required to use bindingConditions'),
    ),
  ];
}
