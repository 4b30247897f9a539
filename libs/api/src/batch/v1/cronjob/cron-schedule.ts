import { goQuote } from '@orrery/apimachinery';

const MACROS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

interface CronField {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const DAYS = 'sun mon tue wed thu fri sat'.split(' ');

const FIELDS: readonly CronField[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];

/** Words of a problem, or the number. */
type Parsed = number | string;

/** robfig/cron v3 parser.go:mustParseInt. */
function parseNumber(text: string): Parsed {
  if (!/^[+-]?\d+$/.test(text)) {
    const problem = `strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`;
    return `failed to parse int from ${text}: ${problem}`;
  }
  const value = Number(text);
  return value < 0 ? `negative number (${value}) not allowed: ${text}` : value;
}

function parseValue(text: string, { min, names }: CronField): Parsed {
  const named = names.indexOf(text.toLowerCase());
  return named < 0 ? parseNumber(text) : named + min;
}

/** `low` and `high` of `1`, `1-5` or `*`; words of a problem otherwise. */
function endsOf(term: string, range: string, field: CronField): [number, number] | string {
  const [low = '', high, ...rest] = range.split('-');
  if (low === '*' || low === '?') return [field.min, field.max];
  const start = parseValue(low, field);
  if (typeof start === 'string') return start;
  if (rest.length > 0) return `too many hyphens: ${term}`;
  if (high === undefined) return [start, start];
  const end = parseValue(high, field);
  return typeof end === 'string' ? end : [start, end];
}

/** robfig/cron v3 parser.go:getRange. */
function problemOfTerm(term: string, field: CronField): string | undefined {
  const [range = '', step, ...rest] = term.split('/');
  const ends = endsOf(term, range, field);
  if (typeof ends === 'string') return ends;
  const every = step === undefined ? 1 : parseNumber(step);
  if (rest.length > 0) return `too many slashes: ${term}`;
  if (typeof every === 'string') return every;
  const [start] = ends;
  // `N/step` goes on from N to the end.
  const end = step !== undefined && !range.includes('-') ? field.max : ends[1];
  if (start < field.min) {
    return `beginning of range (${start}) below minimum (${field.min}): ${term}`;
  }
  if (end > field.max) return `end of range (${end}) above maximum (${field.max}): ${term}`;
  if (start > end) {
    return `beginning of range (${start}) beyond end of range (${end}): ${term}`;
  }
  return every === 0 ? `step of range should be a positive number: ${term}` : undefined;
}

const IS_DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

function problemOfDescriptor(text: string): string | undefined {
  const every = /^@every (.*)$/su.exec(text)?.[1];
  if (every === undefined) {
    return MACROS.includes(text) ? undefined : `unrecognized descriptor: ${text}`;
  }
  if (IS_DURATION.test(every)) return undefined;
  return `failed to parse duration ${text}: time: invalid duration ${goQuote(every)}`;
}

const WITH_ZONE = /^(?:CRON_)?TZ=([^ ]*) (.*)$/su;

/**
 * What robfig/cron's `ParseStandard` (v3 parser.go) says of a schedule that it cannot parse; undefined when it can.
 * `isZone` knows the time zones that a schedule may begin with.
 */
export function cronProblem(
  schedule: string,
  isZone: (name: string) => boolean,
): string | undefined {
  if (schedule === '') return 'empty spec string';
  const [, zone, rest] = WITH_ZONE.exec(schedule) ?? [];
  if (zone !== undefined && !isZone(zone)) {
    return `provided bad location ${zone}: unknown time zone ${zone}`;
  }
  const text = rest === undefined ? schedule : rest.trim();
  if (text.startsWith('@')) return problemOfDescriptor(text);
  const fields = text.split(/\s+/u).filter(Boolean);
  if (fields.length !== FIELDS.length) {
    return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  }
  for (const [i, field] of FIELDS.entries()) {
    const terms = (fields[i] ?? '').split(',').filter(Boolean);
    const problem = terms.map((term) => problemOfTerm(term, field)).find(Boolean);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
