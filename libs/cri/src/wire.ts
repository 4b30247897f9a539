/** The parts of protobuf's wire format, for which see https://protobuf.dev/programming-guides/encoding/. */
export const WIRE = { varint: 0, fixed64: 1, length: 2, fixed32: 5 } as const;

const CONTINUES = 128;
/** An integer of 64 bits takes no more. */
const MOST_BYTES = 10;
const FIRST_BYTES = 256;

/** Writes one message. */
export class WireWriter {
  private target = Buffer.allocUnsafe(FIRST_BYTES);
  private at = 0;

  /** The length so far. */
  get length(): number {
    return this.at;
  }

  finish(): Buffer {
    return this.target.subarray(0, this.at);
  }

  tag(id: number, wire: number): void {
    this.unsigned(id * 8 + wire);
  }

  /** An integer; negative ones take ten bytes, as their 64 bits are written. */
  integer(value: number | bigint): void {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
      this.unsigned(value);
      return;
    }
    this.reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= BigInt(CONTINUES); rest /= BigInt(CONTINUES))
      this.target[this.at++] = Number(rest % BigInt(CONTINUES)) + CONTINUES;
    this.target[this.at++] = Number(rest);
  }

  double(value: number): void {
    this.reserve(8);
    this.at = this.target.writeDoubleLE(value, this.at);
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.unsigned(length);
    this.reserve(length);
    this.at += this.target.write(value, this.at);
  }

  bytes(value: Uint8Array): void {
    this.unsigned(value.length);
    this.reserve(value.length);
    this.target.set(value, this.at);
    this.at += value.length;
  }

  private unsigned(value: number): void {
    this.reserve(10);
    let rest = value;
    for (; rest >= CONTINUES; rest = Math.floor(rest / CONTINUES))
      this.target[this.at++] = (rest % CONTINUES) + CONTINUES;
    this.target[this.at++] = rest;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.target.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.target.length * 2, this.at + bytes));
    this.target.copy(grown, 0, 0, this.at);
    this.target = grown;
  }
}

/** Reads one message. Throws RangeError where it is cut off or is none. */
export class WireReader {
  constructor(
    private readonly source: Buffer,
    private at = 0,
    private readonly end: number = source.length,
  ) {}

  get isOver(): boolean {
    return this.at >= this.end;
  }

  /** Tags and lengths. */
  small(): number {
    const start = this.at;
    let [value, scale, byte] = [0, 1, CONTINUES];
    while (byte >= CONTINUES) {
      if (this.at - start === MOST_BYTES) throw new RangeError('an integer of more than 64 bits');
      byte = this.byte();
      value += (byte % CONTINUES) * scale;
      scale *= CONTINUES;
    }
    return value;
  }

  /** All 64 bits. */
  integer(): bigint {
    const start = this.at;
    const value = this.small();
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    let exact = 0n;
    for (let i = this.at - 1; i >= start; i--)
      exact = exact * BigInt(CONTINUES) + BigInt((this.source[i] ?? 0) % CONTINUES);
    return BigInt.asUintN(64, exact);
  }

  double(): number {
    return this.take(8).readDoubleLE();
  }

  bytes(): Buffer {
    return this.take(this.small());
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  /** What is within the next length. */
  inner(): WireReader {
    const length = this.small();
    const start = this.at;
    this.take(length);
    return new WireReader(this.source, start, this.at);
  }

  skip(wire: number): void {
    if (wire === WIRE.varint) this.small();
    else if (wire === WIRE.length) this.bytes();
    else if (wire === WIRE.fixed64) this.take(8);
    else if (wire === WIRE.fixed32) this.take(4);
    else throw new RangeError(`unknown wire type ${wire}`);
  }

  private byte(): number {
    const value = this.at < this.end ? this.source[this.at++] : undefined;
    if (value === undefined) throw new RangeError('the message is cut off');
    return value;
  }

  private take(length: number): Buffer {
    const start = this.at;
    if (start + length > this.end) throw new RangeError('the message is cut off');
    this.at = start + length;
    return this.source.subarray(start, this.at);
  }
}
