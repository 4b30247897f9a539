import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid } from '@orrery/apimachinery';
import { given, when } from '../../../meta/findings.js';

const MAX_MODE = 0o777;

export const noBacksteps = (target: string, path: FieldPath): FieldError[] =>
  when(target.split('/').includes('..'), invalid(path, target, "must not contain '..'"));

/** A path below some folder (k8s pkg/apis/core/validation/validation.go:validateLocalDescendingPath). */
export const descendingPath = (target: string, path: FieldPath): FieldError[] => [
  ...when(target.startsWith('/'), invalid(path, target, 'must be a relative path')),
  ...noBacksteps(target, path),
];

/** {@link descendingPath}, and not one of the names that atomic writers keep for themselves. */
export const localPath = (target: string, path: FieldPath): FieldError[] => [
  ...descendingPath(target, path),
  ...when(
    target.startsWith('..') && !target.startsWith('../'),
    invalid(path, target, "must not start with '..'"),
  ),
];

export const fileMode = (mode: number | null | undefined, path: FieldPath): FieldError[] =>
  given(mode, (value) =>
    when(
      value < 0 || value > MAX_MODE,
      invalid(path, value, 'must be a number between 0 and 0777 (octal), both inclusive'),
    ),
  );
