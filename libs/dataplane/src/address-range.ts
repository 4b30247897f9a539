/** 32-bit value of a dotted IPv4 address; undefined when the text is none. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/** An IPv4 CIDR, or one address. */
export class AddressRange {
  private constructor(
    private readonly first: number,
    private readonly last: number,
  ) {}

  /** Undefined when the text is neither a CIDR nor an address. */
  static parse(text: string): AddressRange | undefined {
    const [address = '', bits = '32'] = text.split('/');
    const base = parseIpv4(address);
    const length = Number(bits);
    if (base === undefined || !Number.isInteger(length) || length < 0 || length > 32)
      return undefined;
    const size = 2 ** (32 - length);
    const first = Math.floor(base / size) * size;
    return new AddressRange(first, first + size - 1);
  }

  contains(address: string): boolean {
    const value = parseIpv4(address);
    return value !== undefined && value >= this.first && value <= this.last;
  }
}

/**
 * Which backends may be dialled: only addresses inside the given ranges, so that an Endpoints object cannot point the
 * relay at a loopback or control-plane port (CVE-2021-25740).
 */
export class DialGuard {
  private readonly ranges: readonly AddressRange[];

  constructor(ranges: readonly string[]) {
    this.ranges = ranges.flatMap((text) => AddressRange.parse(text) ?? []);
  }

  allows(address: string): boolean {
    return this.ranges.some((range) => range.contains(address));
  }
}
