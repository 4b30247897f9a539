/**
 * Bits of each letter's code, from 0 to 255 (RFC 7541, appendix B). The code is canonical: of letters with as many bits the smaller one has
 * the smaller code, so that the lengths say everything.
 */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
  28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5,
  6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6,
  7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22,
  23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27,
  27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
const LONGEST = 30;
/** More bits that say nothing are no padding of the last byte. */
const MOST_PADDING = 7;

/** Per number of bits: the first code of that length, and the letters that have one. */
const CODES = canonical();

function canonical(): readonly { readonly first: number; readonly letters: readonly number[] }[] {
  const codes = [{ first: 0, letters: [] as readonly number[] }];
  let next = 0;
  for (let bits = 1; bits <= LONGEST; bits++) {
    const letters = LENGTHS.flatMap((length, letter) => (length === bits ? [letter] : []));
    codes.push({ first: next, letters });
    next = (next + letters.length) * 2;
  }
  return codes;
}

/** The text of a string that is written in the code; throws RangeError for bits that stand for nothing. */
export function decodeHuffman(bytes: Uint8Array): string {
  let text = '';
  let code = 0;
  let bits = 0;
  for (const byte of bytes)
    for (let mask = 0x80; mask > 0; mask >>= 1) {
      code = code * 2 + ((byte & mask) === 0 ? 0 : 1);
      bits++;
      const { first, letters } = CODES[bits] ?? { first: Infinity, letters: [] };
      const letter = letters[code - first];
      if (letter !== undefined) {
        text += String.fromCharCode(letter);
        [code, bits] = [0, 0];
      } else if (bits >= LONGEST) throw new RangeError('a header is in no code of HPACK');
    }
  if (bits > MOST_PADDING || code !== 2 ** bits - 1)
    throw new RangeError('a header ends inside a letter');
  return text;
}
