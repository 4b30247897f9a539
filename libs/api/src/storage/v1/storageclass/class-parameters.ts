import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { byteLength } from '@orrery/apimachinery';
import { invalid, required, tooLong } from '@orrery/apimachinery';
import { when } from '../../../meta/findings.js';
import { entries } from '../../../meta/list.js';

const MAX_COUNT = 512;
const MAX_BYTES = 256 * 1024;

/** Parameters for a provisioner: named, at most 512, 256 KiB together (k8s pkg/apis/storage/validation). */
export function validateClassParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
  mayBeEmpty = true,
): FieldError[] {
  const all = entries(parameters);
  if (all.length > MAX_COUNT) return [tooLong(path, MAX_COUNT)];
  const size = all.reduce(
    (sum, [key, value]) => sum + byteLength(key) + byteLength(String(value ?? '')),
    0,
  );
  return [
    ...when(
      !mayBeEmpty && all.length === 0,
      required(path, 'must contain at least one key/value pair'),
    ),
    ...all
      .filter(([key]) => key === '')
      .map(([key]) => invalid(path, key, 'field can not be empty.')),
    ...when(size > MAX_BYTES, tooLong(path, MAX_BYTES)),
  ];
}
