import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, isDns1123Subdomain, required, tooLong } from '@orrery/apimachinery';
import { when } from '../../../meta/findings.js';

const MAX_DRIVER = 63;

/** A CSI driver's name: a DNS subdomain, whatever its case, of at most 63 bytes. */
export function validateCsiDriverName(name: string | undefined, path: FieldPath): FieldError[] {
  const text = String(name ?? '');
  if (text === '') return [required(path)];
  return [
    ...when(text.length > MAX_DRIVER, tooLong(path, MAX_DRIVER)),
    ...isDns1123Subdomain(text.toLowerCase()).map((message) => invalid(path, text, message)),
  ];
}
