import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { byteLength, invalid, notSupported, required, tooLong } from '@orrery/apimachinery';
import { duplicates, given, when } from './findings.js';
import { eachOf } from './list.js';
import { check, qualifiedName } from './names.js';

/** meta/v1 Condition, as it may come in. */
export interface ConditionShape {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly observedGeneration?: number;
}

const STATUSES = ['False', 'True', 'Unknown'];
const REASON = /^[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const REASON_MESSAGE =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";
const MAX_REASON = 1024;
const MAX_MESSAGE = 32 * 1024;

function validateReason(reason: string, path: FieldPath): FieldError[] {
  if (reason === '') return [required(path)];
  return [
    ...when(!REASON.test(reason.slice(0, MAX_REASON + 1)), invalid(path, reason, REASON_MESSAGE)),
    ...when(byteLength(reason) > MAX_REASON, tooLong(path, MAX_REASON)),
  ];
}

/** k8s apimachinery pkg/apis/meta/v1/validation/validation.go:ValidateConditions. */
export function validateConditions(
  conditions: readonly ConditionShape[] | null | undefined,
  path: FieldPath,
): FieldError[] {
  const repeated = duplicates(
    conditions,
    ({ type }) => type ?? '',
    (i) => path.index(i).child('type'),
  );
  const findings = eachOf(conditions, (condition, i) => {
    const at = path.index(i);
    const { type, lastTransitionTime } = condition;
    const [status, reason, message] = [condition.status, condition.reason, condition.message].map(
      (text) => String(text ?? ''),
    ) as [string, string, string];
    return [
      ...check(qualifiedName, type, at.child('type')),
      ...when(!STATUSES.includes(status), notSupported(at.child('status'), status, STATUSES)),
      ...given(condition.observedGeneration, (generation) =>
        when(
          generation < 0,
          invalid(
            at.child('observedGeneration'),
            generation,
            'must be greater than or equal to zero',
          ),
        ),
      ),
      ...when(!lastTransitionTime, required(at.child('lastTransitionTime'))),
      ...validateReason(reason, at.child('reason')),
      ...when(byteLength(message) > MAX_MESSAGE, tooLong(at.child('message'), MAX_MESSAGE)),
    ];
  });
  return [...repeated, ...findings];
}
