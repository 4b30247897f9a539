import { decodeHuffman } from './huffman.js';

/** HPACK (RFC 7541) without its dynamic table, which both sides are told not to use: a block means the same wherever it comes. */
type Fields = Readonly<Record<string, string>>;

/** Names of the static table from index 1; those that come with a value have it in {@link STATIC_VALUES}. */
const STATIC_NAMES =
  ':authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status accept-charset accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition content-encoding content-language content-length content-location content-range content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate'.split(
    ' ',
  );
const STATIC_VALUES: Readonly<Record<number, string>> = {
  2: 'GET',
  3: 'POST',
  4: '/',
  5: '/index.html',
  6: 'http',
  7: 'https',
  8: '200',
  9: '204',
  10: '206',
  11: '304',
  12: '400',
  13: '404',
  14: '500',
  16: 'gzip, deflate',
};

const [INDEXED, WITH_INDEX, TABLE_SIZE] = [0x80, 0x40, 0x20];
const HUFFMAN = 0x80;

/** An integer whose first byte has `prefix` bits for it, below those of `flags`. */
function integer(value: number, prefix: number, flags: number): number[] {
  const most = 2 ** prefix - 1;
  if (value < most) return [flags | value];
  const bytes = [flags | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([Buffer.from(integer(bytes.length, 7, 0)), bytes]);
}

const LITERAL = Buffer.from([0]);

/** The fields, each by its letters. */
export const encodeFields = (fields: Fields): Buffer =>
  Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [LITERAL, text(name), text(value)]),
  );

class Reader {
  at = 0;

  constructor(private readonly source: Buffer) {}

  get isAtEnd(): boolean {
    return this.at >= this.source.length;
  }

  byte(): number {
    const byte = this.source[this.at++];
    if (byte === undefined) throw new RangeError('a header is cut off');
    return byte;
  }

  /** The integer in the lowest `prefix` bits of `first`, and in the bytes behind it. */
  integer(first: number, prefix: number): number {
    const most = 2 ** prefix - 1;
    let value = first & most;
    if (value < most) return value;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (value > 2 ** 32) throw new RangeError('a header has a number without end');
      if (byte < 128) return value;
    }
  }

  text(): string {
    const first = this.byte();
    const length = this.integer(first, 7);
    const bytes = this.source.subarray(this.at, this.at + length);
    if (bytes.length < length) throw new RangeError('a header is cut off');
    this.at += length;
    return (first & HUFFMAN) === 0 ? bytes.toString('latin1') : decodeHuffman(bytes);
  }
}

function staticName(index: number): string {
  const name = STATIC_NAMES[index - 1];
  if (name === undefined) throw new RangeError(`a header names entry ${index} of no table`);
  return name;
}

/** The fields of a block; of a name that comes twice the last. Throws RangeError for what is no block. */
export function decodeFields(block: Buffer): Fields {
  const reader = new Reader(block);
  const fields = Object.create(null) as Record<string, string>;
  while (!reader.isAtEnd) {
    const first = reader.byte();
    if ((first & INDEXED) !== 0) {
      const index = reader.integer(first, 7);
      fields[staticName(index)] = STATIC_VALUES[index] ?? '';
    } else if ((first & WITH_INDEX) === 0 && (first & TABLE_SIZE) !== 0) {
      reader.integer(first, 5);
    } else {
      const index = reader.integer(first, (first & WITH_INDEX) === 0 ? 4 : 6);
      const name = index === 0 ? reader.text() : staticName(index);
      fields[name] = reader.text();
    }
  }
  return fields;
}
