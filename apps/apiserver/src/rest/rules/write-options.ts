import {
  FieldPath,
  forbidden,
  newInvalid,
  notSupported,
  validateFieldManager,
} from '@orrery/apimachinery';
import type { FieldError } from '@orrery/apimachinery';

export type WriteOptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions';

const FIELD_VALIDATION = ['', 'Ignore', 'Strict', 'Warn'];

function refuse(kind: WriteOptionsKind, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind }, '', errors);
}

const dryRunFaults = (values: readonly string[]): FieldError[] =>
  values.some((value) => value !== 'All')
    ? [notSupported(FieldPath.of('dryRun'), values, ['All'])]
    : [];

/** Reads `dryRun`; only All is known. Throws 422 for anything else. */
export function dryRunOf(values: readonly string[], kind: WriteOptionsKind): boolean {
  refuse(kind, dryRunFaults(values));
  return values.includes('All');
}

/** k8s apimachinery pkg/apis/meta/v1/validation:ValidateCreateOptions and its like. Throws 422. */
export function checkWriteOptions(
  query: URLSearchParams,
  kind: WriteOptionsKind,
  isApply = false,
): void {
  if (query.size === 0) return;
  const manager = query.get('fieldManager') ?? '';
  const validation = query.get('fieldValidation') ?? '';
  const isForced = kind === 'PatchOptions' && !isApply && query.has('force');
  refuse(kind, [
    ...(isForced
      ? [forbidden(FieldPath.of('force'), 'may not be specified for non-apply patch')]
      : []),
    ...(manager === '' ? [] : validateFieldManager(manager, FieldPath.of('fieldManager'))),
    ...dryRunFaults(query.getAll('dryRun')),
    ...(FIELD_VALIDATION.includes(validation)
      ? []
      : [notSupported(FieldPath.of('fieldValidation'), validation, FIELD_VALIDATION)]),
  ]);
}
