import { isIP } from 'node:net';

/** An address as a number of its family. */
export interface ParsedAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

function parseIpv4(text: string): bigint {
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function parseIpv6(text: string): bigint {
  // An IPv4 tail stands for the last two groups.
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const last = tail ? parseIpv4(tail[2] ?? '') : undefined;
  const hex = tail
    ? `${tail[1] ?? ''}${((last ?? 0n) >> 16n).toString(16)}:${((last ?? 0n) & 0xffffn).toString(16)}`
    : text;
  const [head = '', rest] = hex.split('::');
  const groups = (part: string): string[] => part.split(':').filter((group) => group !== '');
  const before = groups(head);
  const after = groups(rest ?? '');
  const zeros = rest === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/** An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address. Undefined for what is none. */
export function parseAddress(text: string): ParsedAddress | undefined {
  const family = isIP(text);
  if (family === 4) return { family, value: parseIpv4(text) };
  if (family !== 6 || text.includes('%')) return undefined;
  const value = parseIpv6(text);
  return value >> 32n === 0xffffn
    ? { family: 4, value: value & 0xffff_ffffn }
    : { family: 6, value };
}

/** Eight groups without the shortened form, which every tool reads; dotted for IPv4. */
function formatAddress(family: 4 | 6, value: bigint): string {
  const [count, width, base, separator] =
    family === 4 ? ([4, 8n, 10, '.'] as const) : ([8, 16n, 16, ':'] as const);
  return Array.from({ length: count }, (_, i) =>
    ((value >> (BigInt(count - 1 - i) * width)) & ((1n << width) - 1n)).toString(base),
  ).join(separator);
}

/** A CIDR of either family. */
export class Block {
  private constructor(
    readonly family: 4 | 6,
    private readonly prefix: bigint,
    private readonly shift: bigint,
  ) {}

  /** Undefined for what is neither CIDR nor address. */
  static parse(text: string): Block | undefined {
    const [address = '', length] = text.split('/');
    const parsed = parseAddress(address);
    if (!parsed) return undefined;
    const width = parsed.family === 4 ? 32 : 128;
    const bits = length === undefined ? width : Number(length);
    if (!Number.isInteger(bits) || bits < 0 || bits > width || length === '') return undefined;
    const shift = BigInt(width - bits);
    return new Block(parsed.family, parsed.value >> shift, shift);
  }

  contains({ family, value }: ParsedAddress): boolean {
    return family === this.family && value >> this.shift === this.prefix;
  }

  /** The parts of this block that none of the holes covers, as few as there can be. */
  without(holes: readonly Block[]): readonly Block[] {
    if (holes.some((hole) => hole.covers(this))) return [];
    if (!holes.some((hole) => this.covers(hole))) return [this];
    const shift = this.shift - 1n;
    return [0n, 1n].flatMap((half) =>
      new Block(this.family, this.prefix * 2n + half, shift).without(holes),
    );
  }

  toString(): string {
    const width = this.family === 4 ? 32n : 128n;
    return `${formatAddress(this.family, this.prefix << this.shift)}/${width - this.shift}`;
  }

  private covers(other: Block): boolean {
    return (
      other.family === this.family &&
      other.shift <= this.shift &&
      other.prefix >> (this.shift - other.shift) === this.prefix
    );
  }

  /** Its first addresses, as many as asked for. */
  first(count: number): readonly string[] {
    const start = this.prefix << this.shift;
    return Array.from({ length: count }, (_, i) => formatAddress(this.family, start + BigInt(i)));
  }
}
