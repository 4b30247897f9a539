import type { Clock } from '@orrery/component';

/** Says on standard error what is going on: on a terminal the current step in one line, else a line a step. */
export class Progress {
  private readonly startedAt: number;
  private current = '';

  constructor(
    private readonly clock: Clock,
    private readonly out: NodeJS.WriteStream = process.stderr,
  ) {
    this.startedAt = clock.monotonic();
  }

  step(name: string): void {
    this.current = name;
    if (this.out.isTTY) this.line(`${name} …`);
    else this.out.write(`orrery: ${this.seconds()} ${name} …\n`);
  }

  detail(text: string): void {
    if (this.out.isTTY) this.line(`${this.current}: ${text}`);
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
    this.clear();
    this.out.write(`orrery: ${this.seconds()} ${text}`);
  }

  private clear(): void {
    if (this.out.isTTY) this.out.write('\r\u001b[2K');
  }

  private seconds(): string {
    return `${((this.clock.monotonic() - this.startedAt) / 1000).toFixed(1)} s`;
  }
}
