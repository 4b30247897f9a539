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

function valueOf(text: string, { min, names }: CronField): number {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return named + min;
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

function isTerm(term: string, field: CronField): boolean {
  const [range = '', step, ...rest] = term.split('/');
  if (rest.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (range === '*' || range === '?') return true;
  const ends = range.split('-');
  if (ends.length > 2) return false;
  const [low = Number.NaN, high = low] = ends.map((end) => valueOf(end, field));
  return low >= field.min && high <= field.max && low <= high;
}

/** What robfig/cron says of a schedule that it cannot parse; undefined when it can. */
export function cronProblem(schedule: string): string | undefined {
  const text = schedule.trim();
  if (text.startsWith('@')) {
    const isKnown = MACROS.includes(text) || /^@every (\d+(\.\d+)?(ns|us|ms|s|m|h))+$/.test(text);
    return isKnown ? undefined : `unrecognized descriptor: ${text}`;
  }
  const fields = text.split(/\s+/).filter(Boolean);
  if (fields.length !== FIELDS.length) {
    return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  }
  const bad = fields.find((field, i) => {
    const rule = FIELDS[i];
    return rule && !field.split(',').every((term) => isTerm(term, rule));
  });
  return bad === undefined ? undefined : `failed to parse field: ${bad}`;
}
