interface Row {
  readonly writes: number;
  crashes: number;
  stale: number;
}

/** What was tried with which controller; printed in the long run. */
export class Report {
  readonly #rows = new Map<string, Row>();

  start(controller: string, writes: number): void {
    this.#say(`${controller}: ${writes} writes`);
    this.#rows.set(controller, { writes, crashes: 0, stale: 0 });
  }

  crashed(controller: string, count: number): void {
    const row = this.#rows.get(controller);
    if (row) row.crashes += count;
  }

  stale(controller: string): void {
    const row = this.#rows.get(controller);
    if (!row) return;
    row.stale++;
    this.#say(`${controller}: ${row.crashes} deaths, ${row.stale} kinds of stale caches`);
  }

  /** How far the long run has come. */
  #say(line: string): void {
    if (process.env['CRASH_POINTS']) process.stderr.write(`${line}\n`);
  }

  print(): void {
    if (!process.env['CRASH_POINTS']) return;
    const lines = [...this.#rows].map(
      ([name, { writes, crashes, stale }]) =>
        `| ${name.padEnd(50)} | ${String(writes).padStart(6)} | ${String(crashes).padStart(7)} | ${String(stale).padStart(5)} |`,
    );
    const head = `| ${'controller'.padEnd(50)} | writes | crashes | stale |`;
    const rule = `| ${'-'.repeat(50)} | -----: | ------: | ----: |`;
    process.stdout.write(`\n${[head, rule, ...lines].join('\n')}\n`);
  }
}
