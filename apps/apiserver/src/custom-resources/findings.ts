import type { FieldError, FieldErrorType } from '@orrery/apimachinery';

export const fieldError = (type: FieldErrorType, field: string, message: string): FieldError => ({
  type,
  field,
  message,
});

/** `Invalid value: <value>: <detail>` */
export const invalidValue = (field: string, value: unknown, detail: string): FieldError =>
  fieldError('FieldValueInvalid', field, `Invalid value: ${JSON.stringify(value)}: ${detail}`);

/** One finding, as kube-openapi words it. */
export interface Problem {
  /** Where it is below the value that is checked; undefined = of that value as a whole, whatever `text` names. */
  readonly name?: string;
  readonly text: string;
  /** What the field's error says, where it says something else. */
  readonly error?: Pick<FieldError, 'type' | 'message'>;
  /** The rejected value. Default: the empty text. */
  readonly value?: unknown;
}

/** What was found of one value, and how many of the checks said something: the better of two failures has more. */
export interface Outcome {
  readonly problems: readonly Problem[];
  readonly matches: number;
}

const { stringify } = JSON;

/** `in body` is where upstream says that the value is. */
export const inBody = (path: string, text: string): string => `${path} in body ${text}`;

const messageOf = ({ text, value = '' }: Problem): string =>
  `Invalid value: ${stringify(value)}: ${text}`;

function pathOf(base: string, name: string | undefined): string {
  const below = (name ?? '').replace(/^\./, '');
  if (below === '') return base === '' ? '<nil>' : base;
  return base === '' ? below : `${base}.${below}`;
}

/** As errors of fields below `base` (apiextensions-apiserver pkg/apiserver/validation:kubeOpenAPIResultToFieldErrors). */
export function toFieldErrors(problems: readonly Problem[], base: string): FieldError[] {
  const seen = new Set<string>();
  return problems.flatMap((one) => {
    if (seen.has(one.text)) return [];
    seen.add(one.text);
    const { type, message } = one.error ?? {
      type: 'FieldValueInvalid' as const,
      message: messageOf(one),
    };
    return [fieldError(type, pathOf(base, one.name), message)];
  });
}

export const wrongType = (path: string, wanted: string, given: unknown): Problem => {
  const text = inBody(path, `must be of type ${wanted}: ${stringify(given)}`);
  const message = `Invalid value: ${stringify(given)}: ${text}`;
  return { name: path, text, error: { type: 'FieldValueTypeInvalid', message } };
};

export const tooMany = (path: string, actual: number, max: number, what: string): Problem => ({
  name: path,
  text: inBody(path, `should have at most ${max} ${what}`),
  error: {
    type: 'FieldValueTooMany',
    message: `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
  },
});
