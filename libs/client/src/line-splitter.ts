const NEWLINE = 0x0a;

/** Cuts a byte stream into lines. Each byte is looked at once, however the stream is cut into chunks. */
export class LineSplitter {
  #pending: Buffer[] = [];

  /** The lines that `chunk` completes, without their newlines; empty lines are left out. */
  *push(chunk: Buffer): Generator<string> {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end < 0) break;
      const line = this.#take(chunk, from, end);
      if (line !== '') yield line;
      from = end + 1;
    }
    if (from < chunk.length) this.#pending.push(from === 0 ? chunk : chunk.subarray(from));
  }

  /** True when the stream ended inside a line. */
  get incomplete(): boolean {
    return this.#pending.length > 0;
  }

  #take(chunk: Buffer, from: number, end: number): string {
    if (this.#pending.length === 0) return chunk.toString('utf8', from, end);
    const line = Buffer.concat([...this.#pending, chunk.subarray(from, end)]).toString('utf8');
    this.#pending = [];
    return line;
  }
}
