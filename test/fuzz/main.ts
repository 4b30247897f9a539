import { parseArgs } from 'node:util';
import fc from 'fast-check';
import type { Target } from './target.js';
import { targets } from './targets.js';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});

const ROUND = 500;
const SLOW_MS = 50;

interface Count {
  tried: number;
  slowestMs: number;
  slowest: string;
}

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const shown = (input: unknown): string =>
  (Buffer.isBuffer(input) ? input.toString('hex') : (JSON.stringify(input) ?? '')).slice(0, 300);

function round(of: Target, seed: number, count: Count): string | undefined {
  const timed = (input: unknown): void => {
    const started = performance.now();
    of.check(input as never);
    const ms = performance.now() - started;
    if (ms > count.slowestMs) [count.slowestMs, count.slowest] = [ms, shown(input)];
  };
  const { failed, numRuns, counterexample, errorInstance } = fc.check(
    fc.property(of.inputs, timed),
    { numRuns: ROUND, seed },
  );
  count.tried += numRuns;
  if (Object.keys(Object.prototype).length > 0) return `${of.name}: Object.prototype is polluted`;
  if (!failed) return undefined;
  const stack = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  return `${of.name}, seed ${seed}: ${shown(counterexample?.[0])}\n${stack}`;
}

const chosen = targets.filter(({ name }) => name.includes(flags.only));
const counts = new Map<Target, Count>(
  chosen.map((each) => [each, { tried: 0, slowestMs: 0, slowest: '' }]),
);
const end = performance.now() + Number(flags.seconds) * 1000;
const failures = new Map<Target, string>();
for (let seed = Number(flags.seed); performance.now() < end; seed++) {
  for (const [each, count] of counts) {
    if (failures.has(each)) continue;
    const failure = round(each, seed, count);
    if (failure === undefined) continue;
    failures.set(each, failure);
    say(`\nFAILED ${failure}\n`);
  }
}
let total = 0;
for (const [{ name }, { tried, slowestMs, slowest }] of counts) {
  total += tried;
  const note = slowestMs > SLOW_MS ? `  ${slowest.slice(0, 120)}` : '';
  say(
    `${String(tried).padStart(9)}  slowest ${slowestMs.toFixed(1).padStart(7)} ms  ${name}${note}`,
  );
}
say(
  `${total} inputs tried, ${failures.size} of ${chosen.length} targets failed (first seed ${flags.seed})`,
);
process.exitCode = failures.size > 0 ? 1 : 0;
