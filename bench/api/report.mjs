// The table of the API server's benchmark: each side's figures, then ours beside upstream's, pair by pair, and the target.
import { median } from '../table.mjs';

/** Figures of ours that have a target by themselves: the most that they may be. */
const UNITS = [
  [/^start/, 's', 0.5],
  [/^memory, idle/, 'MB', 130],
  [/^memory, \d+ pods/, 'MB', 300],
  [/^memory/, 'MB', undefined],
  [/^longest hold/, 'ms', 20],
];

const plainOf = (name) => UNITS.find(([pattern]) => pattern.test(name)) ?? [];

const cell = (value, width = 10) => {
  if (value === undefined || Number.isNaN(value)) return '-'.padStart(width);
  return (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)).padStart(width);
};

const spread = (samples) =>
  `${String(samples.length).padStart(4)}${cell(Math.min(...samples))}${cell(median(samples))}${cell(Math.max(...samples))}`;

const HEAD = `${'n'.padStart(4)}${'min'.padStart(10)}${'median'.padStart(10)}${'max'.padStart(10)}`;

export class Report {
  /** figure -> side -> samples in the order of the rounds. */
  #figures = new Map();

  constructor(about) {
    this.about = about;
  }

  add(name, side, sample) {
    let sides = this.#figures.get(name);
    if (!sides) this.#figures.set(name, (sides = new Map()));
    if (!sides.has(side.name)) sides.set(side.name, []);
    sides.get(side.name).push(sample);
    const shown = Object.entries(sample).map(([key, value]) => `${key} ${cell(value, 0)}`);
    process.stderr.write(`  ${name}: ${side.name}: ${shown.join(', ')}\n`);
  }

  print(rows) {
    const { version, pods } = this.about;
    const lines = [
      `API server, ${pods} pods seeded; upstream: ${version}`,
      `node ${process.version}, ${process.platform} ${process.arch}; command: npm run bench api ${process.argv.slice(2).join(' ')}`,
      `${'figure'.padEnd(40)}${'side'.padEnd(10)}${'unit'.padEnd(10)}${HEAD}${'/cpu s'.padStart(10)}${'p99 ms'.padStart(10)}`,
    ];
    for (const [name, sides] of this.#figures)
      for (const [side, samples] of sides) lines.push(this.#line(name, side, samples, rows[name]));
    lines.push(
      '',
      `${'ours to …'.padEnd(40)}${'side'.padEnd(10)}${HEAD}${'by cpu'.padStart(10)}${'target'.padStart(10)}`,
    );
    for (const [name, sides] of this.#figures) lines.push(...this.#ratios(name, sides, rows[name]));
    process.stdout.write(`${lines.join('\n')}\n`);
  }

  #line(name, side, samples, row) {
    const [, unit = row?.unit] = plainOf(name);
    const of = (key) => samples.map((sample) => sample[key]).filter((value) => value !== undefined);
    const middle = (key, scale = 1) => (of(key).length > 0 ? median(of(key)) * scale : undefined);
    return `${name.padEnd(40)}${side.padEnd(10)}${unit.padEnd(10)}${spread(of('rate'))}${cell(middle('perCpu'))}${cell(middle('p99', 1e-3))}`;
  }

  *#ratios(name, sides, row) {
    const ours = sides.get('orrery');
    for (const [side, samples] of sides) {
      if (side === 'orrery') continue;
      const pairs = (key) =>
        ours.map((sample, i) => sample[key] / samples[i]?.[key]).filter(Number.isFinite);
      if (pairs('rate').length === 0) continue;
      const target = side === 'upstream' && row?.target ? `>= ${row.target}` : '';
      const cpu = pairs('perCpu').length > 0 ? median(pairs('perCpu')) : undefined;
      yield `${name.padEnd(40)}${side.padEnd(10)}${spread(pairs('rate'))}${cell(cpu)}${target.padStart(10)}`;
    }
    const [, unit, most] = plainOf(name);
    if (most)
      yield `${name.padEnd(40)}${'itself'.padEnd(10)}${spread(ours.map(({ rate }) => rate))}${''.padStart(10)}${`<= ${most} ${unit}`.padStart(10)}`;
  }
}
