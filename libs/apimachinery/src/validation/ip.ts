import { isIPv4, isIPv6 } from 'node:net';

const NOT_AN_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const NOT_A_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
  readonly hasLeadingZeros: boolean;
  /** `::ffff:1.2.3.4`. */
  readonly isMapped: boolean;
}

const withoutZeros = (text: string): string =>
  text
    .split('.')
    .map((part) => part.replace(/^0+(?=\d)/, ''))
    .join('.');

const valueOfIpv4 = (text: string): bigint =>
  text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);

function valueOfIpv6(text: string): bigint {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const low = tail?.[2] ? valueOfIpv4(tail[2]) : undefined;
  const hex =
    low === undefined
      ? text
      : `${tail?.[1] ?? ''}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head = '', rest] = hex.split('::');
  const parts = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const left = parts(head);
  const right = rest === undefined ? [] : parts(rest);
  const zeros = rest === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

const MAPPED = 0xffffn;

/** Reads an address as Go's lenient parser does: leading zeros in IPv4 parts are passed over. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes('%')) return undefined;
  if (/^\d+(\.\d+){3}$/.test(text)) {
    const plain = withoutZeros(text);
    if (!isIPv4(plain)) return undefined;
    const hasLeadingZeros = plain !== text;
    return { family: 4, value: valueOfIpv4(plain), hasLeadingZeros, isMapped: false };
  }
  if (!isIPv6(text)) return undefined;
  const value = valueOfIpv6(text);
  return { family: 6, value, hasLeadingZeros: false, isMapped: value >> 32n === MAPPED };
}

const formatIpv4 = (value: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  const runs = [...groups.join(':').matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)];
  const longest = runs.sort((a, b) => b[0].length - a[0].length)[0];
  if (!longest) return groups.join(':');
  const text = groups.join(':');
  const left = text.slice(0, longest.index).replace(/:$/, '');
  const right = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${left}::${right}`;
}

/** RFC 5952's form of an address; an IPv4-mapped one becomes IPv4, as Go prints it. */
export const formatAddress = ({ family, value, isMapped }: Address): string => {
  if (family === 4 || isMapped) return formatIpv4(value & 0xffffffffn);
  return formatIpv6(value);
};

/** What keeps a value from being an address without doubt; what old fields accepted still passes when `isSloppy`. */
export function ipFaults(text: string, isSloppy = false): string[] {
  const address = parseAddress(text);
  if (!address) return [NOT_AN_IP];
  if (isSloppy) return [];
  return [
    ...(address.hasLeadingZeros ? ['must not have leading 0s'] : []),
    ...(address.isMapped ? ['must not be an IPv4-mapped IPv6 address'] : []),
  ];
}

/** {@link ipFaults}, and the value must be in canonical form. */
export function canonicalIpFaults(text: string): string[] {
  const faults = ipFaults(text);
  const address = parseAddress(text);
  if (!address || faults.length > 0) return faults;
  const canonical = formatAddress(address);
  return canonical === text ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

export interface Cidr {
  readonly address: Address;
  readonly bits: number;
  /** The address with the bits beyond the prefix cleared. */
  readonly network: bigint;
}

export function parseCidr(text: string): Cidr | undefined {
  const [ip = '', size = '', ...rest] = text.split('/');
  const address = parseAddress(ip);
  const bits = Number(size);
  const width = address?.family === 4 ? 32 : 128;
  if (!address || rest.length > 0 || !/^\d{1,3}$/.test(size) || bits > width) return undefined;
  const free = BigInt(width - bits);
  return { address, bits, network: (address.value >> free) << free };
}

export const formatCidr = ({ address, bits, network }: Cidr): string =>
  `${formatAddress({ ...address, value: network })}/${bits}`;

/** True when every address of `inner` is in `outer`, and `outer` has more. */
export function isStrictSubnet(inner: Cidr, outer: Cidr): boolean {
  if (inner.address.family !== outer.address.family || outer.bits >= inner.bits) return false;
  const free = BigInt((outer.address.family === 4 ? 32 : 128) - outer.bits);
  return (inner.network >> free) << free === outer.network;
}

export function cidrFaults(text: string, isSloppy = false): string[] {
  const cidr = parseCidr(text);
  if (!cidr) return [NOT_A_CIDR];
  if (isSloppy) return [];
  if (cidr.address.hasLeadingZeros || /\/0\d/.test(text)) {
    return ['must not have leading 0s in IP or prefix length'];
  }
  if (cidr.address.isMapped) return ['must not have an IPv4-mapped IPv6 address'];
  return cidr.network === cidr.address.value
    ? []
    : ['must not have bits set beyond the prefix length'];
}

export function canonicalCidrFaults(text: string): string[] {
  const faults = cidrFaults(text);
  const cidr = parseCidr(text);
  if (!cidr || faults.length > 0) return faults;
  const canonical = formatCidr(cidr);
  return canonical === text ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

/** What upstream warns of in an address that it accepts. */
export function ipWarning(path: string, text: string): string | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  const canonical = formatAddress(address);
  const [shown, preferred] = [JSON.stringify(text), JSON.stringify(canonical)];
  if (address.hasLeadingZeros || address.isMapped) {
    return `${path}: non-standard IP address ${shown} is invalid: use ${preferred}`;
  }
  return address.family === 6 && canonical !== text
    ? `${path}: IPv6 address ${shown} should be in RFC 5952 canonical format (${preferred})`
    : undefined;
}

/** What upstream warns of in a CIDR that it accepts. */
export function cidrWarning(path: string, text: string): string | undefined {
  const cidr = parseCidr(text);
  if (!cidr) return undefined;
  const [shown, preferred] = [JSON.stringify(text), JSON.stringify(formatCidr(cidr))];
  if (cidr.network !== cidr.address.value) {
    const single = `${formatAddress(cidr.address)}/${cidr.address.family === 4 ? 32 : 128}`;
    return `${path}: CIDR value ${shown} is ambiguous in this context (should be ${preferred} or ${JSON.stringify(single)}?)`;
  }
  if (cidrFaults(text).length > 0) {
    return `${path}: non-standard CIDR value ${shown} is invalid: use ${preferred}`;
  }
  return cidr.address.family === 6 && formatCidr(cidr) !== text
    ? `${path}: IPv6 CIDR value ${shown} should be in RFC 5952 canonical format (${preferred})`
    : undefined;
}
