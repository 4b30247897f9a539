/** The regular-expression finding of k8s apimachinery/pkg/util/validation, double space included. */
export function regexError(
  message: string,
  pattern: string,
  ...examples: readonly string[]
): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  const shown = examples.map((example, i) => `${i > 0 ? ' or ' : ''}'${example}', `).join('');
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

/** Labels are measured in bytes (k8s apimachinery pkg/api/validate/content/errors.go), names told of in characters (pkg/util/validation). */
export type LengthUnit = 'bytes' | 'characters';

export const maxLengthError = (length: number, unit: LengthUnit = 'characters'): string =>
  `must be no more than ${length} ${unit}`;

export const EMPTY_ERROR = 'must be non-empty';

/** A check of one string: the messages of what is wrong with it, none when it is right. */
export type StringCheck = (value: string) => string[];

interface Format {
  readonly pattern: string;
  readonly message: string;
  readonly examples: readonly string[];
  readonly maxLength?: number;
  readonly unit?: LengthUnit;
}

/** Values longer than this are not matched: the patterns backtrack quadratically. */
export const HOSTILE_LENGTH = 2048;

/** Compiles a format into a check with upstream's messages. */
export function formatCheck({ pattern, message, examples, maxLength, unit }: Format): StringCheck {
  const regex = new RegExp(`^(?:${pattern})$`);
  const text = regexError(message, pattern, ...examples);
  return (value) => {
    const tooLong = maxLength !== undefined && byteLength(value) > maxLength;
    const errors = tooLong ? [maxLengthError(maxLength, unit)] : [];
    if (tooLong && value.length > HOSTILE_LENGTH) return errors;
    if (!regex.test(value)) errors.push(text);
    return errors;
  };
}

export const byteLength = (value: string): number => Buffer.byteLength(value, 'utf8');
