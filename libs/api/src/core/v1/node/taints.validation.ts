import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { duplicate, invalid } from '@orrery/apimachinery';
import type { Taint } from '../../../types.js';
import { oneOfThese } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { eachOf } from '../../../meta/list.js';
import { check, labelValue, qualifiedName } from '../../../meta/names.js';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function validateTaint({ key, value, effect }: Taint, at: FieldPath): FieldError[] {
  const faults = labelValue(String(value ?? ''));
  return [
    ...check(qualifiedName, key, at.child('key')),
    ...when(faults.length > 0, invalid(at.child('value'), value, faults.join(';'))),
    ...oneOfThese(effect, EFFECTS, at.child('effect')),
  ];
}

/** A taint as upstream's internal type prints it. */
const shownTaint = ({ key, value, effect, timeAdded }: Taint): object => ({
  Key: key ?? '',
  Value: value ?? '',
  Effect: effect ?? '',
  TimeAdded: timeAdded ?? null,
});

/** k8s pkg/apis/core/validation/validation.go:validateNodeTaints. */
export function validateTaints(
  taints: readonly Taint[] | undefined,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return eachOf(taints, (taint, i) => {
    const at = path.index(i);
    const id = `${taint.effect}:${taint.key}`;
    const isRepeated = seen.has(id);
    seen.add(id);
    const found = duplicate(at, shownTaint(taint));
    const text = `${found.message}: taints must be unique by key and effect pair`;
    return [...validateTaint(taint, at), ...when(isRepeated, { ...found, message: text })];
  });
}
