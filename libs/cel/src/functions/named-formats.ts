import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from '@orrery/apimachinery';
import { parseBase64, parseDate, parseDateTime } from '../values/formats.js';
import { ListValue, OpaqueValue, OptionalValue } from '../values/value.js';
import type { Overload } from './overload.js';
import { fn } from './overload.js';
import { readUrl } from './urls.js';

export class FormatValue extends OpaqueValue {
  readonly typeName = 'kubernetes.NamedFormat';

  constructor(
    readonly name: string,
    /** Length of the pattern that upstream would use: what a check is charged for. */
    readonly regexSize: number,
    readonly problems: (text: string) => readonly string[],
  ) {
    super();
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

type Check = (text: string) => readonly string[];

/** A prefix of a generated name may end in a dash. */
const asPrefix =
  (check: Check): Check =>
  (text) =>
    check(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

const or =
  (message: string, test: (text: string) => boolean): Check =>
  (text) =>
    test(text) ? [] : [message];

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

const FORMATS: Readonly<Record<string, readonly [string, number, Check]>> = {
  dns1123Label: ['DNS1123Label', 30, isDns1123Label],
  dns1123Subdomain: ['DNS1123Subdomain', 60, isDns1123Subdomain],
  dns1035Label: ['DNS1035Label', 30, isDns1035Label],
  qualifiedName: ['QualifiedName', 60, isQualifiedName],
  dns1123LabelPrefix: ['DNS1123LabelPrefix', 30, asPrefix(isDns1123Label)],
  dns1123SubdomainPrefix: ['DNS1123SubdomainPrefix', 60, asPrefix(isDns1123Subdomain)],
  dns1035LabelPrefix: ['DNS1035LabelPrefix', 30, asPrefix(isDns1035Label)],
  labelValue: ['LabelValue', 40, isLabelValue],
  uri: [
    'URI',
    1700,
    (text) => (readUrl(text) ? [] : [`parse ${JSON.stringify(text)}: invalid URI for request`]),
  ],
  uuid: ['uuid', 106, or('does not match the UUID format', (text) => UUID.test(text))],
  byte: ['byte', 90, or('invalid base64', (text) => parseBase64(text) !== undefined)],
  date: ['date', 150, or('invalid date', (text) => parseDate(text) !== undefined)],
  datetime: ['datetime', 150, or('invalid datetime', (text) => parseDateTime(text) !== undefined)],
};

const values = new Map(
  Object.entries(FORMATS).map(([id, [name, size, check]]) => [
    id,
    new FormatValue(name, size, check),
  ]),
);

function validate({ problems }: FormatValue, text: string): OptionalValue {
  const found = problems(text);
  return new OptionalValue(found.length === 0 ? undefined : new ListValue([...found]));
}

/** Kubernetes' format library. */
export const namedFormats: readonly Overload[] = [
  ...[...values].map(([id, value]) => fn(`::format.${id}(): Format`, `format.${id}`, () => value)),
  fn(
    '::format.named(string): optional(Format)',
    'format-named',
    (name: string) => new OptionalValue(values.get(name)),
  ),
  fn('Format.validate(string): optional(list(string))', 'format-validate', validate),
];
