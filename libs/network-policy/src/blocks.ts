import { Block, parseAddress } from './address.js';
import type { ParsedAddress } from './address.js';
import type { AddressBlock } from './policy-set.js';

/** An {@link AddressBlock} ready for questions; nothing is inside a malformed one. */
export function compileBlock({ cidr, except }: AddressBlock): (address: ParsedAddress) => boolean {
  const whole = Block.parse(cidr);
  const holes = except.flatMap((text) => Block.parse(text) ?? []);
  return (address) =>
    whole?.contains(address) === true && !holes.some((hole) => hole.contains(address));
}

/** Whether one of the blocks holds the address. */
export function isInBlocks(text: string, blocks: readonly AddressBlock[]): boolean {
  const address = parseAddress(text);
  return address !== undefined && blocks.some((block) => compileBlock(block)(address));
}

/** What a block holds in one family, as CIDRs without exceptions. */
export function cidrsOf({ cidr, except }: AddressBlock, family: 4 | 6): readonly string[] {
  const whole = Block.parse(cidr);
  if (whole?.family !== family) return [];
  return whole.without(except.flatMap((text) => Block.parse(text) ?? [])).map(String);
}
