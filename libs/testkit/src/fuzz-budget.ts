/** How long a fuzzer goes on: `ORRERY_FUZZ_SECONDS`, else `ORRERY_FUZZ_RUNS` inputs, else as many as a run of all tests can bear. */
export interface FuzzBudget {
  readonly numRuns: number;
  readonly interruptAfterTimeLimit?: number;
  readonly endOnFailure: true;
}

const ENDLESS = 100_000_000;

/** What fast-check is told. `share`: the part of the time that this one of several fuzzers may have. */
export function fuzzBudget(runs: number, share = 1): FuzzBudget {
  const seconds = Number(process.env['ORRERY_FUZZ_SECONDS'] ?? 0);
  if (seconds > 0)
    return {
      numRuns: ENDLESS,
      interruptAfterTimeLimit: seconds * 1_000 * share,
      endOnFailure: true,
    };
  const wanted = process.env['ORRERY_FUZZ_RUNS'];
  return {
    numRuns: wanted === undefined ? runs : Math.ceil(Number(wanted) * share),
    endOnFailure: true,
  };
}

/** Tells how many inputs a long run has tried. */
export function tellTried(name: string, tried: number): void {
  if (process.env['ORRERY_FUZZ_SECONDS'] ?? process.env['ORRERY_FUZZ_RUNS'])
    process.stdout.write(`fuzz: ${tried} inputs tried: ${name}\n`);
}
