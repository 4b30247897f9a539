export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/**
 * One validation finding. `message` is the body without the field name, as upstream's
 * ErrorBody() (k8s staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go).
 */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly message: string;
}

/** Findings that are told of one object; whoever makes more of them may stop. */
export const MAX_FINDINGS = 1000;

/** A path into an object, printed as upstream does: `spec.containers[0].name`, `metadata.labels[a/b]`. */
export class FieldPath {
  /** Joined when somebody prints it: most paths are of fields that are right. */
  private constructor(
    private readonly parent: FieldPath | undefined,
    private readonly part: string,
    private readonly isName: boolean,
  ) {}

  static of(...names: readonly string[]): FieldPath {
    return new FieldPath(undefined, names.join('.'), true);
  }

  child(...names: readonly string[]): FieldPath {
    const [first] = names;
    // Nearly always: without a closure.
    if (first !== undefined && names.length === 1)
      return first === '' ? this : new FieldPath(this, first, true);
    return names.reduce<FieldPath>((path, name) => path.child(name), this);
  }

  index(i: number): FieldPath {
    return new FieldPath(this, `[${i}]`, false);
  }

  key(key: string): FieldPath {
    return new FieldPath(this, `[${key}]`, false);
  }

  toString(): string {
    const before = this.parent?.toString() ?? '';
    return before === '' || !this.isName ? before + this.part : `${before}.${this.part}`;
  }
}

/** Go's encoding of objects and lists is safe inside of HTML. */
const htmlSafe = (json: string): string =>
  json.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const GO_ESCAPES: Readonly<Record<string, string>> = { '\u0007': '\\a', '\u000b': '\\v' };

function escapeAsGo(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f)
    return GO_ESCAPES[char] ?? `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff
    ? `\\U${code.toString(16).padStart(8, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** What Go does not print as it is (strconv.IsPrint), but for the blanks that have letters of their own. */
const NOT_PRINTED = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const AS_JSON = /[\b\f\n\r\t]/;

/** Letters of ASCII that stand for themselves: names and numbers are of nothing else. */
const AS_IT_IS = /^[ !#-[\]-~]*$/;

/** A string as Go's %q prints it. */
export const goQuote = (text: string): string =>
  AS_IT_IS.test(text) ? `"${text}"` : escaped(text);

const escaped = (text: string): string =>
  `"${text
    .replace(/["\\]/g, String.raw`\$&`)
    .replace(NOT_PRINTED, (char) =>
      AS_JSON.test(char) ? JSON.stringify(char).slice(1, -1) : escapeAsGo(char),
    )}"`;

/** How Go's %#v-like formatting prints a rejected value in upstream's messages. */
function printValue(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'object') return htmlSafe(JSON.stringify(value));
  return String(value as number | boolean);
}

const finding = (type: FieldErrorType, path: FieldPath, message: string): FieldError => ({
  type,
  field: path.toString(),
  message,
});

export const required = (path: FieldPath, detail = ''): FieldError =>
  finding('FieldValueRequired', path, detail ? `Required value: ${detail}` : 'Required value');

export const invalid = (path: FieldPath, value: unknown, detail: string): FieldError =>
  finding('FieldValueInvalid', path, `Invalid value: ${printValue(value)}: ${detail}`);

/** As {@link invalid} without the value: field.OmitValueType of upstream. */
export const invalidOmitted = (path: FieldPath, detail: string): FieldError =>
  finding('FieldValueInvalid', path, `Invalid value: ${detail}`);

export const forbidden = (path: FieldPath, detail: string): FieldError =>
  finding('FieldValueForbidden', path, `Forbidden: ${detail}`);

export const duplicate = (path: FieldPath, value: unknown): FieldError =>
  finding('FieldValueDuplicate', path, `Duplicate value: ${printValue(value)}`);

export const notFound = (path: FieldPath, value: unknown): FieldError =>
  finding('FieldValueNotFound', path, `Not found: ${printValue(value)}`);

export const tooLong = (path: FieldPath, maxLength: number): FieldError =>
  finding('FieldValueTooLong', path, `Too long: may not be more than ${maxLength} bytes`);

export const tooMany = (path: FieldPath, actual: number, max: number): FieldError =>
  finding(
    'FieldValueTooMany',
    path,
    `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
  );

export const notSupported = (
  path: FieldPath,
  value: unknown,
  supported: readonly string[],
  order: 'sorted' | 'as given' = 'sorted',
): FieldError =>
  finding(
    'FieldValueNotSupported',
    path,
    `Unsupported value: ${printValue(value)}: supported values: ${(order === 'sorted'
      ? supported.toSorted()
      : supported
    )
      .map((s) => JSON.stringify(s))
      .join(', ')}`,
  );
