import type { FieldError, FieldErrorType } from '@orrery/apimachinery';

export const fieldError = (type: FieldErrorType, field: string, message: string): FieldError => ({
  type,
  field,
  message,
});

/** `Invalid value: <value>: <detail>` */
export const invalidValue = (field: string, value: unknown, detail: string): FieldError =>
  fieldError('FieldValueInvalid', field, `Invalid value: ${JSON.stringify(value)}: ${detail}`);
