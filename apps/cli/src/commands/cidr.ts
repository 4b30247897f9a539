const OCTET = String.raw`(25[0-5]|2[0-4]\d|1?\d?\d)`;

/** An IPv4 range such as 10.96.0.0/12. */
export const IPV4_CIDR = new RegExp(String.raw`^(${OCTET}\.){3}${OCTET}/([12]?\d|3[0-2])$`);

const numberOf = (address: string): number =>
  address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);

/** First and last address of a range, as numbers. */
function boundsOf(cidr: string): [first: number, last: number] {
  const [address = '', prefix] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(numberOf(address) / size) * size;
  return [first, first + size - 1];
}

/** Whether two ranges have an address in common. */
export function overlap(one: string, other: string): boolean {
  const [first, last] = boundsOf(one);
  const [otherFirst, otherLast] = boundsOf(other);
  return first <= otherLast && otherFirst <= last;
}
