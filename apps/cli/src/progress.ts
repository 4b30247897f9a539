import type { Clock } from '@orrery/component';

/** Says on standard error what is going on: on a terminal the current step in one line, else a line a step. */
export class Progress {
  private readonly startedAt: number;
  private current = '';
  private shown = '';

  constructor(
    private readonly clock: Clock,
    private readonly out: NodeJS.WriteStream = process.stderr,
  ) {
    this.startedAt = clock.monotonic();
    // A terminal that was closed must not keep the cluster from being stopped in order.
    out.on('error', () => undefined);
  }

  step(name: string): void {
    this.current = name;
    if (this.out.isTTY) this.line(`${name} …`);
    else this.out.write(`orrery: ${this.seconds()} ${name} …\n`);
  }

  detail(text: string): void {
    if (this.out.isTTY) this.line(`${this.current}: ${text} …`);
  }

  note(text: string): void {
    this.clear();
    this.out.write(`orrery: ${text}\n`);
  }

  done(text: string): void {
    this.clear();
    this.out.write(`orrery: ready in ${this.seconds()}\n${text}`);
  }

  private line(text: string): void {
    const isNew = text !== this.shown;
    this.shown = text;
    if (!isNew) return;
    this.out.write(`\r\u001b[2Korrery: ${this.seconds()} ${text}`);
  }

  private clear(): void {
    if (this.shown !== '') this.out.write('\r\u001b[2K');
    this.shown = '';
  }

  private seconds(): string {
    return `${((this.clock.monotonic() - this.startedAt) / 1000).toFixed(1)} s`;
  }
}
