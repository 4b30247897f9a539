/** Types of records (RFC 1035, 2782, 3596). */
export const TYPE = {
  A: 1,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
} as const;
const OPT = 41;

export const RCODE = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3 } as const;

const IN = 1;
const HEADER = 12;
/** What a client that says nothing takes in a datagram. */
const SMALLEST = 512;

export interface Query {
  readonly id: number;
  readonly recursion: boolean;
  /** Lower case, without the last dot. */
  readonly name: string;
  readonly type: number;
  /** Bytes that the client takes in a datagram. */
  readonly size: number;
  /** Of the question, to be sent back as it came. */
  readonly question: Buffer;
}

export type RecordData =
  | { readonly type: typeof TYPE.A | typeof TYPE.AAAA; readonly address: string }
  | { readonly type: typeof TYPE.CNAME | typeof TYPE.PTR; readonly target: string }
  | { readonly type: typeof TYPE.TXT; readonly text: string }
  | { readonly type: typeof TYPE.SOA; readonly zone: string; readonly serial: number }
  | {
      readonly type: typeof TYPE.SRV;
      readonly target: string;
      readonly port: number;
      readonly weight: number;
    };

export interface ResourceRecord {
  readonly name: string;
  readonly ttl: number;
  readonly data: RecordData;
}

export interface Answer {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  readonly authority?: readonly ResourceRecord[];
  readonly additional?: readonly ResourceRecord[];
}

/** Reads the labels at `offset`; a question has no pointers. */
function readName(packet: Buffer, offset: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = offset;
  for (;;) {
    const length = packet.readUInt8(at);
    if (length === 0) return { name: labels.join('.'), end: at + 1 };
    if (length > 63) throw new RangeError('a compressed name in a question');
    labels.push(packet.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
}

/** The size that an OPT record behind the question allows (RFC 6891). */
function sizeOf(packet: Buffer, end: number): number {
  const additional = packet.readUInt16BE(10);
  const isOpt = additional > 0 && packet.length >= end + 5 && packet[end] === 0;
  if (!isOpt || packet.readUInt16BE(end + 1) !== OPT) return SMALLEST;
  return Math.max(SMALLEST, packet.readUInt16BE(end + 3));
}

/** Undefined for what is no plain question; throws RangeError for what is cut off. */
export function decodeQuery(packet: Buffer): Query | undefined {
  if (packet.length < HEADER) throw new RangeError('shorter than a header');
  const flags = packet.readUInt16BE(2);
  const isQuery = (flags & 0xf800) === 0 && packet.readUInt16BE(4) === 1;
  if (!isQuery) return undefined;
  const { name, end } = readName(packet, HEADER);
  const type = packet.readUInt16BE(end);
  if (packet.readUInt16BE(end + 2) !== IN) return undefined;
  return {
    id: packet.readUInt16BE(0),
    recursion: (flags & 0x0100) !== 0,
    name,
    type,
    size: sizeOf(packet, end + 4),
    question: packet.subarray(HEADER, end + 4),
  };
}

export function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => {
      const text = Buffer.from(label, 'latin1').subarray(0, 63);
      return Buffer.concat([Buffer.from([text.length]), text]);
    }),
    Buffer.from([0]),
  ]);
}

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [first, last] = [words(head), words(tail ?? '')];
  const gap = tail === undefined ? 0 : 8 - first.length - last.length;
  const all = [...first, ...Array.from({ length: gap }, () => 0), ...last];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]));
}

const uint16 = (...values: number[]): Buffer =>
  Buffer.from(values.flatMap((value) => [(value >> 8) & 255, value & 255]));

function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}

function dataBytes(data: RecordData): Buffer {
  switch (data.type) {
    case TYPE.A:
    case TYPE.AAAA:
      return addressBytes(data.address);
    case TYPE.CNAME:
    case TYPE.PTR:
      return encodeName(data.target);
    case TYPE.TXT:
      return Buffer.concat([Buffer.from([data.text.length]), Buffer.from(data.text)]);
    case TYPE.SRV:
      return Buffer.concat([uint16(0, data.weight, data.port), encodeName(data.target)]);
    case TYPE.SOA:
      return Buffer.concat([
        encodeName(`ns.dns.${data.zone}`),
        encodeName(`hostmaster.${data.zone}`),
        uint32(data.serial, 7200, 1800, 86_400, 5),
      ]);
  }
}

function recordBytes({ name, ttl, data }: ResourceRecord): Buffer {
  const bytes = dataBytes(data);
  return Buffer.concat([
    encodeName(name),
    uint16(data.type, IN),
    uint32(ttl),
    uint16(bytes.length),
    bytes,
  ]);
}

/** The answer's bytes; one that does not fit says so and holds no records. */
export function encodeAnswer(query: Query, answer: Answer, limit: number): Buffer {
  const { answers, authority = [], additional = [] } = answer;
  const body = Buffer.concat([...answers, ...authority, ...additional].map(recordBytes));
  const fits = HEADER + query.question.length + body.length <= limit;
  const flags = 0x8480 | (query.recursion ? 0x0100 : 0) | (fits ? 0 : 0x0200) | answer.rcode;
  const counts = fits ? [answers.length, authority.length, additional.length] : [0, 0, 0];
  return Buffer.concat([
    uint16(query.id, flags, 1, ...counts),
    query.question,
    ...(fits ? [body] : []),
  ]);
}
