import { Fatal } from './agnhost.js';

/** Flags of every sub-command, which say how its log is written. */
const KLOG: Readonly<Record<string, 'boolean' | 'value'>> = {
  alsologtostderr: 'boolean',
  logtostderr: 'boolean',
  skip_headers: 'boolean',
  stderrthreshold: 'value',
  v: 'value',
  vmodule: 'value',
};

type Value = string | number | boolean;

/** Flags by name with their defaults, whose type is that of the flag. */
export type FlagDefaults = Readonly<Record<string, Value>>;

type Widened<T> = T extends string ? string : T extends number ? number : boolean;

export type FlagValues<D extends FlagDefaults> = { -readonly [K in keyof D]: Widened<D[K]> };

export interface ParsedFlags<D extends FlagDefaults> {
  readonly flags: FlagValues<D>;
  readonly rest: readonly string[];
}

function convert(name: string, text: string, type: string): Value {
  if (type === 'string') return text;
  if (type === 'boolean') {
    if (/^(?:true|1|t)$/i.test(text)) return true;
    if (/^(?:false|0|f)$/i.test(text)) return false;
  } else if (/^-?\d+$/.test(text)) return Number(text);
  throw new Fatal(`invalid argument "${text}" for "--${name}" flag`);
}

/** Splits a word into the flag's name and the value behind its equals sign. */
function split(word: string, letters: Readonly<Record<string, string>>): [string, string?] {
  const [, dashes = '', name = '', value] = /^(--?)([^=]+)(?:=([^]*))?$/.exec(word) ?? [];
  const full = dashes === '-' ? (letters[name] ?? (name in KLOG ? name : undefined)) : name;
  if (full === undefined) throw new Fatal(`unknown shorthand flag: '${name}' in ${word}`);
  return [full, value];
}

/** Parses as spf13/pflag does: `--name=value`, `--name value`, `--bool`; `letters` names flags with one letter. */
export function parseFlags<D extends FlagDefaults>(
  args: readonly string[],
  defaults: D,
  letters: Readonly<Record<string, string>> = {},
): ParsedFlags<D> {
  const flags: Record<string, Value> = { ...defaults };
  const rest: string[] = [];
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') return { flags: flags as FlagValues<D>, rest: [...rest, ...words] };
    if (!word.startsWith('-') || word === '-') {
      rest.push(word);
      continue;
    }
    const [name, given] = split(word, letters);
    const type = typeof defaults[name];
    if (KLOG[name] !== undefined && type === 'undefined') {
      if (given === undefined && KLOG[name] !== 'boolean') words.shift();
      continue;
    }
    if (type === 'undefined') throw new Fatal(`unknown flag: --${name}`);
    const value = given ?? (type === 'boolean' ? 'true' : words.shift());
    if (value === undefined) throw new Fatal(`flag needs an argument: --${name}`);
    flags[name] = convert(name, value, type);
  }
  return { flags: flags as FlagValues<D>, rest };
}
